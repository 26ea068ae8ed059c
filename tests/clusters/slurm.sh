#!/bin/sh
# A SLURM cluster of two nodes on this machine trains a sweep of eight units as a job array.
# Usage: slurm.sh KILN FOLDER, as root on Debian with slurmctld, slurmd and munge installed.
set -eu
kiln=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
here=$(realpath "$(dirname "$0")")
recipe=$here/../../docs/clusters/slurm.sbatch
grid=$here/rate.toml
host=$(hostname -s)
state=$folder/state
mkdir -p "$state/ctld" "$state/n1" "$state/n2"

started_munge=
if ! munge -n > /dev/null 2>&1; then
  started_munge=yes
  mkdir -p /run/munge
  chown munge: /run/munge
  runuser -u munge -- munged
fi

cat > "$folder/slurm.conf" <<CONF
ClusterName=kiln
SlurmctldHost=$host
SlurmUser=root
AuthType=auth/munge
StateSaveLocation=$state/ctld
SlurmdSpoolDir=$state/%n
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/%n.pid
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SchedulerParameters=sched_interval=1
NodeName=n1 NodeHostname=$host Port=17001 CPUs=1
NodeName=n2 NodeHostname=$host Port=17002 CPUs=1
PartitionName=all Nodes=n1,n2 Default=YES State=UP
CONF
export SLURM_CONF=$folder/slurm.conf

stop() {
  for pid in "$state"/*.pid; do
    [ -e "$pid" ] && kill "$(cat "$pid")" 2> /dev/null || true
  done
  if [ -n "$started_munge" ]; then runuser -u munge -- munged --stop; fi
}
trap stop EXIT
slurmctld -f "$SLURM_CONF"
slurmd -f "$SLURM_CONF" -N n1
slurmd -f "$SLURM_CONF" -N n2

"$kiln" sweep "$grid" --out "$folder/sweep"
cd "$folder"
# --wait: until every member has ended, and with its status.
SWEEP=$folder/sweep KILN=$kiln sbatch --wait --array=1-8 "$recipe"
cat kiln-*.log
done=$(grep -c ',Finished,' sweep/index.csv)
nodes=$(scontrol show jobs | grep -o ' NodeList=n[12]' | sort | uniq -c | tr -s ' \n' ' ')
echo "$done of 8 units are finished, on:$nodes"
[ "$done" = 8 ]
