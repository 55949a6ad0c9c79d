import { steady } from './wall-place.js';

// How large pictures hang, at once; what is in sight stays in sight.
class WallDensity extends HTMLElement {
  connectedCallback() {
    this.addEventListener('click', (event) => this.choose(event));
  }

  choose(event) {
    const button = event.target.closest('button');
    const keys = document.querySelector('wall-keys');
    if (!button || !keys) return;
    event.preventDefault();
    steady(keys, () => {
      document.querySelector('.hanging').dataset.density = button.value;
      dispatchEvent(new Event('wall-density'));
    });
    for (const one of this.querySelectorAll('button')) one.ariaPressed = one === button;
    const body = new URLSearchParams({ density: button.value });
    fetch(button.form.action, { method: 'POST', body, redirect: 'manual' }).catch(() => {}); // next time as before
  }
}

customElements.define('wall-density', WallDensity);
