const page = document.documentElement;

// Gives the picture the whole screen; where the browser has no such thing, the whole window.
class FullScreen extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector('button');
    this.button.addEventListener('click', () => (this.isFull ? this.leave() : this.enter()));
    document.addEventListener('fullscreenchange', this);
    addEventListener('keydown', this);
    this.hidden = false;
    this.show();
  }

  disconnectedCallback() {
    document.removeEventListener('fullscreenchange', this);
    removeEventListener('keydown', this);
  }

  get isFull() {
    return 'full' in page.dataset;
  }

  handleEvent(event) {
    if (event.key === 'Escape' && this.isFull) this.leave();
    if (event.type === 'fullscreenchange' && !document.fullscreenElement) this.leave();
  }

  async enter() {
    page.dataset.full = '';
    this.show();
    this.button.focus({ preventScroll: true });
    try {
      await page.requestFullscreen();
    } catch {
      // refused or unknown: the window is what is left
    }
  }

  leave() {
    delete page.dataset.full;
    this.show();
    if (document.fullscreenElement) document.exitFullscreen();
  }

  // What is behind the picture can be neither seen nor reached.
  show() {
    this.button.setAttribute('aria-pressed', this.isFull);
    for (const part of document.querySelectorAll('.skip, .bar, .acts, .placard')) part.inert = this.isFull;
  }
}

customElements.define('full-screen', FullScreen);
