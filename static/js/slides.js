// The pictures that follow on one, page by page, as a list that one walks through. Behind the last comes the
// first again.
export class Slides {
  constructor(address, first) {
    this.address = address;
    this.list = [];
    this.at = 0;
    this.next = new URL(address);
    if (first) this.next.searchParams.set('at', first);
  }

  move(by) {
    this.at = Math.max(0, this.at + by);
  }

  // The picture at the place, when its file has come.
  async current() {
    const slide = await this.slide(this.at);
    await load(slide.url);
    return slide;
  }

  prepare() {
    if (!navigator.connection?.saveData) this.slide(this.at + 1).then(({ url }) => load(url)).catch(() => {});
  }

  async slide(at) {
    while (at >= this.list.length) await (this.coming ??= this.more().finally(() => (this.coming = null)));
    return this.list[at];
  }

  async more() {
    const answer = await fetch(this.next);
    if (!answer.ok) throw new Error(`${answer.status}`);
    const { images, next } = await answer.json();
    if (!images.length && !this.list.length) throw new Error('nothing to show');
    this.list.push(...images);
    this.next = next ? new URL(next, location) : this.address;
  }
}

async function load(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
}
