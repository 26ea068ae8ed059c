#!/bin/sh
# HyperQueue with two workers on this machine trains a sweep of eight units as a task array; one of the
# workers is killed in the middle of a unit.
# Usage: hyperqueue.sh KILN HQ FOLDER
set -eu
kiln=$(realpath "$1")
hq=$(realpath "$2")
grid=$(realpath "$(dirname "$0")")/rate.toml
mkdir -p "$3"
folder=$(realpath "$3")
export HQ_SERVER_DIR="$folder/server"

stop() {
  "$hq" server stop > /dev/null 2>&1 || true
  wait
}
trap stop EXIT
cd "$folder"
rm -rf sweep
"$hq" server start > server.log 2>&1 &
tries=0
until "$hq" server info > /dev/null 2>&1; do
  tries=$((tries + 1))
  if [ $tries = 300 ]; then cat server.log; exit 1; fi
  sleep 0.1
done
"$hq" worker start --cpus 1 > worker-1.log 2>&1 &
"$hq" worker start --cpus 1 > worker-2.log 2>&1 &
killed=$!

"$kiln" sweep "$grid" --out sweep
"$hq" submit --array 1-8 --cpus 1 -- "$kiln" sweep --next sweep --threads 1
# Once the second trains, it is gone with all that it had; its unit is given to another.
until unit=$(pgrep -P "$killed"); do sleep 0.1; done
kill -9 "$killed" $unit
"$hq" worker start --cpus 1 > worker-3.log 2>&1 &
"$hq" job wait all
"$hq" job list --all
done=$(grep -c ',Finished,' sweep/index.csv)
echo "$done of 8 units are finished"
[ "$done" = 8 ]
