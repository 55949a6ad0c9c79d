// Shows a time in the visitor's own zone; without scripts the server's is there.
class LocalTime extends HTMLElement {
  connectedCallback() {
    const time = this.querySelector('time');
    const when = new Date(time.dateTime);
    const language = document.documentElement.lang;
    time.textContent = when.toLocaleString(language, { dateStyle: 'long', timeStyle: 'short' });
  }
}

customElements.define('local-time', LocalTime);
