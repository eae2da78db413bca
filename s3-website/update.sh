#!/bin/sh
# Publish the page to its bucket, from any current folder: `./update.sh --help`.
set -eu

script=$0
while [ -L "$script" ]; do
    link=$(readlink -- "$script")
    case $link in
        /*) script=$link ;;
        *) script=$(dirname -- "$script")/$link ;;
    esac
done
here=$(CDPATH='' cd -- "$(dirname -- "$script")" && pwd)
root=$(dirname -- "$here")

python=$root/.venv/bin/python
if [ ! -x "$python" ]; then
    python=python3
    command -v python3 >/dev/null || {
        echo "Error: python3 is not installed. Install Python 3.11 or later." >&2
        exit 1
    }
    python3 -P -c 'import lambda_chat' 2>/dev/null || {
        echo "Error: Lambda Chat is not installed. Run \`pip install -r $root/requirements.txt\`." >&2
        exit 1
    }
fi

# -P: do not import modules from the current folder.
exec "$python" -P -m lambda_chat.site.publish "$@"
