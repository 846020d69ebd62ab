"""Virtual machines through Vagrant.

The same inventory, and machines that `vagrant up` makes as well.
"""
