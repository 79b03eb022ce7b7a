"""What the sub-commands of `hems` do, one file each."""
