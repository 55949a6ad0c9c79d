import { elements } from './fragment.js';

// What the trash holds, told anew after each act on its pictures.
class TrashHead extends HTMLElement {
  connectedCallback() {
    addEventListener('easel-acted', () => this.renew());
  }

  async renew() {
    const answer = await fetch(location).catch(() => null);
    if (!answer?.ok || this.contains(document.activeElement)) return;
    const page = document.createElement('div');
    page.append(...elements(await answer.text()));
    this.replaceChildren(...page.querySelector('trash-head').childNodes);
  }
}

customElements.define('trash-head', TrashHead);
