#!/bin/sh
# Runs inside the machine: installs the wheel, runs the tests, writes the results to the third disk.
export PATH=/opt/wherry/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root PYTHONDONTWRITEBYTECODE= TERM=dumb
# Emulation takes ten to twenty times as long.
export WHERRY_TEST_PATIENCE=10
cd /carried || exit 1
mkdir -p /out
echo "vm: $(uname -r), up for $(cut -d' ' -f1 /proc/uptime) s"
# Only what is imported is compiled, when it is: all of it would take a minute.
pip install --quiet --no-compile --disable-pip-version-check --no-deps \
    --no-index wheel/*.whl
echo "vm: installed, up for $(cut -d' ' -f1 /proc/uptime) s"
if [ -f script ]; then
    sh script 2>&1
    echo $? > /out/status
else
    python3 -m pytest -p no:cacheprovider -v --tb=short --durations=30 --timeout=600 \
        --junitxml=/out/junit.xml --skips=tests/vm/skipped.txt \
        $(cat arguments) $(test -s arguments || cat tests/vm/selection) 2>&1
    echo $? > /out/status
fi
journalctl -q --no-pager -o short-monotonic > /out/journal 2>&1
tar -C /out -cf /dev/vdc .
echo "vm: done, up for $(cut -d' ' -f1 /proc/uptime) s"
