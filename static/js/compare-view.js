import { element } from './fragment.js';
import { rememberChange } from './kept-gallery.js';

// Pictures beside each other: while they are zoomed together, all show the part that one of them does.
class CompareView extends HTMLElement {
  connectedCallback() {
    this.together = this.querySelector('.together input');
    this.views = [...this.querySelectorAll('zoom-view')];
    this.addEventListener('zoomed', (event) => this.follow(event.target));
    for (const kind of ['pointerover', 'focusin']) this.addEventListener(kind, (event) => this.turnTo(event.target));
    this.addEventListener('change', () => this.follow(this.querySelector('zoom-view[data-current]') ?? this.views[0]));
    this.addEventListener('submit', (event) => this.submit(event));
  }

  get isTogether() {
    return this.together.checked || this.matches(':has([value=slider]:checked)');
  }

  follow(leader) {
    if (this.isTogether) for (const view of this.views) if (view !== leader) view.match(leader);
  }

  // Keys and buttons mean the picture that was pointed at last.
  turnTo(target) {
    const current = target.closest('zoom-view');
    if (!current || 'current' in current.dataset) return;
    for (const view of this.views) view.toggleAttribute('data-current', view === current);
    this.querySelector('zoom-tools')?.tell();
  }

  // A favourite is marked where it hangs, as near as it is looked at.
  async submit(event) {
    const form = event.target;
    rememberChange();
    if (form.dataset.act !== 'favourite') return;
    event.preventDefault();
    if (form.ariaBusy) return;
    form.ariaBusy = 'true';
    try {
      const response = await fetch(form.action, { method: 'POST', headers: { 'X-Fragment': 'true' } });
      if (!response.ok) return form.submit(); // the server says why
      const fresh = element(await response.text()).querySelector(`form[action="${form.getAttribute('action')}"]`);
      form.querySelector('button').ariaPressed = fresh.querySelector('button').ariaPressed;
    } finally {
      form.ariaBusy = null;
    }
  }
}

customElements.define('compare-view', CompareView);
