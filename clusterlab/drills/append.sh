# Append the value WRITER:TICK to a file and wait until it is on disk; exit code 100 says that it was refused.
# No link is followed: containers can write where the file is, and what runs here is root on their host.
# The file must exist: when its volume has been unmounted, nothing may be written to what lies below.
# Arguments: WRITER FILE TIMEOUT TICK
said=$(echo "$1:$4" |
    LC_ALL=C timeout -s KILL "$3" dd of="$2" oflag=append,nofollow conv=notrunc,fsync,nocreat status=none 2>&1) && exit 0
case $said in
*"No space left"* | *"Read-only file system"* | *"Permission denied"* | *"No such file"* | *"quota exceeded"*) exit 100 ;;
esac
exit 1
