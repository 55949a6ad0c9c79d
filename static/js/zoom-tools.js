const STEP = 1.5;

// The buttons below a picture, and how large it is shown: 100 % is a pixel for a pixel.
class ZoomTools extends HTMLElement {
  connectedCallback() {
    this.view = document.querySelector('zoom-view');
    this.closest('.stage').addEventListener('zoomed', () => this.tell());
    this.addEventListener('click', (event) => this.press(event.target.closest('button')?.value));
    this.hidden = false;
    customElements.whenDefined('zoom-view').then(() => this.tell());
  }

  press(wish) {
    if (wish === 'larger') this.view.zoom(this.view.scale * STEP);
    if (wish === 'smaller') this.view.zoom(this.view.scale / STEP);
    if (wish === 'fit') this.view.zoom(1);
  }

  tell() {
    const shown = Math.round((100 * this.view.scale) / this.view.whole);
    this.querySelector('.percent').textContent = `${shown} %`;
  }
}

customElements.define('zoom-tools', ZoomTools);
