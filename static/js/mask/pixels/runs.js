const LONGEST = 256;

// Bytes as runs, each its length less one and its value; as they are where that is no shorter.
export function packed(bytes) {
  const runs = new Uint8Array(bytes.length);
  let used = 0;
  for (let start = 0; start < bytes.length; ) {
    const value = bytes[start];
    const last = Math.min(bytes.length, start + LONGEST);
    let end = start + 1;
    while (end < last && bytes[end] === value) end++;
    if (used + 2 >= bytes.length) return bytes.slice();
    runs[used++] = end - start - 1;
    runs[used++] = value;
    start = end;
  }
  return runs.slice(0, used);
}

export function unpacked(runs, length) {
  if (runs.length === length) return runs;
  const bytes = new Uint8Array(length);
  let start = 0;
  for (let at = 0; at < runs.length; at += 2) {
    const end = start + runs[at] + 1;
    bytes.fill(runs[at + 1], start, end);
    start = end;
  }
  return bytes;
}
