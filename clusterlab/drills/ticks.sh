# Run a command at fixed ticks. Before each run the line "invoke TICK TIME" goes to the log, and then "ok TICK TIME",
# "fail TICK TIME" (exit code 100: refused) or "info TICK TIME" (any other code: it is unknown what became of it), at
# last "end". Times are hundredths of a second of uptime: no wall clock, no process.
# Arguments: LOG FIRST PERIOD UNTIL COMMAND...; the command gets the tick as its last argument. A file LOG.stop ends it
# after the run under way, as does the end of the log's folder.
log=$1 first=$2 period=$3 until=$4
shift 4
now() { read -r t _ </proc/uptime; t=${t%.*}${t#*.}; }
echo $$ >"$log.pid"
tick=0
while [ -d "${log%/*}" ] && [ ! -e "$log.stop" ]; do
    due=$((first + tick * period))
    [ "$due" -lt "$until" ] || break
    now
    if [ "$t" -lt "$due" ]; then
        rest=$((due - t)) part=$(((due - t) % 100))
        [ "$part" -lt 10 ] && part=0$part
        sleep "$((rest / 100)).$part"
        now
    fi
    echo "invoke $tick $t" >>"$log" || break
    "$@" "$tick" >/dev/null 2>&1 </dev/null
    code=$? outcome=info
    [ $code -eq 0 ] && outcome=ok
    [ $code -eq 100 ] && outcome=fail
    now
    echo "$outcome $tick $t" >>"$log"
    next=$(((t - first) / period + 1))
    tick=$((tick + 1))
    [ "$next" -gt "$tick" ] && tick=$next
done
if [ -d "${log%/*}" ]; then echo end >>"$log"; fi
