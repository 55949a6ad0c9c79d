// The albums that what is selected can be added to, as they are when the menu is opened. A new one is made and
// then added to, like any other.
class AlbumMenu extends HTMLElement {
  connectedCallback() {
    this.pattern = this.querySelector('template');
    this.name = this.querySelector('input');
    this.addEventListener('beforetoggle', ({ newState }) => newState === 'open' && this.fill());
    this.addEventListener('keydown', (event) => this.enter(event));
    this.querySelector('.new button').addEventListener('click', () => this.make());
  }

  async fill() {
    const answer = await fetch(this.dataset.albums).catch(() => null);
    if (!answer?.ok) return;
    const { albums } = await answer.json();
    this.querySelectorAll('[value=add]').forEach((button) => button.remove());
    this.pattern.after(...albums.filter(({ q }) => !q).map((album) => this.button(album)));
  }

  button({ id, name }) {
    const button = this.pattern.content.firstElementChild.cloneNode();
    button.textContent = name;
    button.dataset.album = id;
    return button;
  }

  // In the field it means the new album, and not the first act of the bar.
  enter(event) {
    if (event.key !== 'Enter' || event.target !== this.name) return;
    event.preventDefault();
    this.make();
  }

  async make() {
    if (!this.name.value.trim()) return this.name.focus();
    const body = new URLSearchParams({ name: this.name.value });
    const answer = await fetch(this.dataset.new, { method: 'POST', body }).catch(() => null);
    const id = answer?.ok && new URL(answer.url).searchParams.get('album');
    if (!id) return;
    this.name.value = '';
    const button = this.button({ id, name: '' });
    this.pattern.after(button);
    button.click();
  }
}

customElements.define('album-menu', AlbumMenu);
