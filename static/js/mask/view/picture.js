const SMALLEST_PX = 512;

// A picture, and halves of it down to a small one: to draw a large picture small takes long, and looks rough.
export class Picture {
  constructor(source, width, height, sizes) {
    Object.assign(this, { source, width, height, sizes });
  }

  // From a Blob or a canvas.
  static async load(source, width, height) {
    const sizes = [await createImageBitmap(source)];
    while (Math.max(sizes[0].width, sizes[0].height) > 2 * SMALLEST_PX) {
      const [resizeWidth, resizeHeight] = ['width', 'height'].map((side) => Math.ceil(sizes[0][side] / 2));
      sizes.unshift(await createImageBitmap(sizes[0], { resizeWidth, resizeHeight, resizeQuality: 'medium' }));
    }
    return new Picture(source, width, height, sizes);
  }

  draw(context, { x, y, scale }) {
    const shown = this.sizes.find((size) => size.width >= this.width * scale) ?? this.sizes.at(-1);
    context.imageSmoothingEnabled = scale < 3;
    context.drawImage(shown, x, y, this.width * scale, this.height * scale);
  }

  close() {
    for (const size of this.sizes) size.close();
  }

  // A larger picture with this one in it. Around it its edge goes on, for servers that look at what they change.
  enlarged({ left, top, right, bottom }) {
    const whole = this.sizes.at(-1);
    const size = { width: this.width + left + right, height: this.height + top + bottom };
    const canvas = Object.assign(document.createElement('canvas'), size);
    const context = canvas.getContext('2d');
    const stretches = (before, length, after, own) => [
      [0, 1, 0, before], [0, own, before, length], [own - 1, 1, before + length, after],
    ];
    for (const [x, width, toX, toWidth] of stretches(left, this.width, right, whole.width)) {
      for (const [y, height, toY, toHeight] of stretches(top, this.height, bottom, whole.height)) {
        if (toWidth && toHeight) context.drawImage(whole, x, y, width, height, toX, toY, toWidth, toHeight);
      }
    }
    return Picture.load(canvas, size.width, size.height);
  }
}
