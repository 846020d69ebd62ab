"""The first files of somebody's own: an inventory and a play, from defaults or from what exists."""
