const FINER = 1.15;

// Size and softness in pixels of the picture, by sliders that are finer where they are small.
export class Dials {
  constructor(dialog, longest, changed) {
    const most = Math.max(64, Math.min(1000, Math.round(longest / 2)));
    const size = Math.max(2, Math.round(longest / 15));
    this.size = new Dial(dialog.querySelector('[name=size]'), { least: 1, most, value: size, changed });
    this.softness = new Dial(dialog.querySelector('[name=softness]'), {
      least: 0, most: Math.round(most / 2), value: Math.round(size / 8), changed,
    });
  }

  // How wide the brush is to each side, and how much of that fades.
  get settings() {
    const radius = this.size.value / 2;
    return { radius, softness: Math.min(this.softness.value, radius) };
  }
}

class Dial {
  constructor(input, { least, most, value, changed }) {
    Object.assign(this, { input, least, most, changed });
    this.output = input.parentElement.querySelector('b');
    input.addEventListener('input', () => this.set(least + (most - least) * (input.value / input.max) ** 2));
    this.set(value);
  }

  set(value) {
    this.value = Math.round(Math.max(this.least, Math.min(this.most, value)));
    const place = Math.sqrt((this.value - this.least) / (this.most - this.least));
    const isMeant = Math.abs(this.input.value / this.input.max - place) > 0.5 / this.input.max;
    if (isMeant) this.input.value = Math.round(place * this.input.max);
    const words = this.input.dataset.words.replace('{n}', this.value);
    this.output.textContent = words;
    this.input.setAttribute('aria-valuetext', words);
    this.input.style.setProperty('--v', place);
    this.changed();
  }

  turn(isMore) {
    const next = isMore ? Math.max(this.value + 1, this.value * FINER) : Math.min(this.value - 1, this.value / FINER);
    this.set(next);
  }
}
