#!/bin/sh
# Runs inside the machine: installs the wheel, runs the tests, writes the results to the third disk.
export PATH=/opt/wherry/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root PYTHONDONTWRITEBYTECODE= TERM=dumb
cd /carried || exit 1
mkdir -p /out
echo "vm: $(uname -r), up for $(cut -d' ' -f1 /proc/uptime) s"
pip install --quiet --disable-pip-version-check --no-deps --no-index wheel/*.whl
echo "vm: installed, up for $(cut -d' ' -f1 /proc/uptime) s"
if [ -f script ]; then
    sh script 2>&1
    echo $? > /out/status
else
    python3 -m pytest -p no:cacheprovider -v --tb=short --durations=15 --junitxml=/out/junit.xml \
        $(cat arguments) $(test -s arguments || cat tests/vm/selection) 2>&1
    echo $? > /out/status
fi
journalctl -q --no-pager -o short-monotonic > /out/journal 2>&1
tar -C /out -cf /dev/vdc .
echo "vm: done, up for $(cut -d' ' -f1 /proc/uptime) s"
