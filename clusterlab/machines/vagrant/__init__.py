"""Virtual machines through Vagrant: the same inventory, and machines that `vagrant up` makes as well."""
