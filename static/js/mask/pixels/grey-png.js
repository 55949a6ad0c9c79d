const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
const STRIP_BYTES = 1 << 22; // that are read from a canvas at once
const CHECKS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = sum & 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1;
  return sum;
});

// A grey PNG, written here rather than by a canvas: that would make four bytes of each, and may change them.
export async function greyPng({ width, height, bytes }) {
  const rows = new Uint8Array((width + 1) * height); // each begins with its filter, none
  for (let y = 0; y < height; y++) rows.set(bytes.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const stream = new Blob([rows]).stream().pipeThrough(new CompressionStream('deflate'));
  const content = new Uint8Array(await new Response(stream).arrayBuffer());
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head[8] = 8; // bits; all others are 0: grey, deflate, not interlaced
  const parts = [chunk('IHDR', head), chunk('IDAT', content), chunk('IEND', new Uint8Array())];
  return new Blob([SIGNATURE, ...parts], { type: 'image/png' });
}

function chunk(name, content) {
  const bytes = new Uint8Array(content.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set([...name].map((letter) => letter.charCodeAt()), 4);
  bytes.set(content, 8);
  view.setUint32(content.length + 8, checkOf(bytes.subarray(4, content.length + 8)));
  return bytes;
}

function checkOf(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) sum = CHECKS[(sum ^ byte) & 255] ^ (sum >>> 8);
  return ~sum;
}

// The greys of a picture brought to a size.
export async function greysOf(blob, width, height) {
  const bitmap = await createImageBitmap(blob, { colorSpaceConversion: 'none' });
  const canvas = Object.assign(document.createElement('canvas'), { width });
  const strip = Math.max(1, Math.floor(STRIP_BYTES / 4 / width));
  canvas.height = Math.min(height, strip);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const greys = new Uint8Array(width * height);
  for (let top = 0; top < height; top += strip) {
    context.drawImage(bitmap, 0, -top, width, height);
    const { data } = context.getImageData(0, 0, width, Math.min(strip, height - top));
    for (let at = 0, to = top * width; at < data.length; at += 4) greys[to++] = data[at];
  }
  bitmap.close();
  return greys;
}
