#!/bin/sh
# Checks what the thumbnails example made of its bundled pictures. For CI, after a run into a folder of its own:
#
#     cargo run --release --example thumbnails -- --out OUT && examples/thumbnails/check.sh OUT
#
# Prints what is wrong and exits with 1, or prints one line and exits with 0.
set -eu
out=${1:?usage: check.sh OUT}

fail() {
    echo "check.sh: $*" >&2
    exit 1
}

for name in astronaut camera chelsea coffee grass hubble_deep_field retina rocket; do
    # A JPEG starts with FF D8 and ends with FF D9.
    [ -s "$out/$name.jpg" ] || fail "$name.jpg is missing"
    ends=$( (head -c 2 "$out/$name.jpg"; tail -c 2 "$out/$name.jpg") | od -An -tx1 | tr -d ' \n')
    [ "$ends" = ffd8ffd9 ] || fail "$name.jpg is no whole JPEG"
done
[ -s "$out/contact-sheet.png" ] || fail "contact-sheet.png is missing"
start=$(head -c 4 "$out/contact-sheet.png" | od -An -tx1 | tr -d ' \n')
[ "$start" = 89504e47 ] || fail "contact-sheet.png is no PNG"

# Nothing else: no thumbnail of a broken file, and no temporary file, which would be hidden.
found=$(find "$out" -mindepth 1 | wc -l)
[ "$found" -eq 9 ] || fail "9 files are expected in $out, not $((found)): $(ls -A "$out")"
echo "8 thumbnails and a contact sheet in $out, and nothing else"
