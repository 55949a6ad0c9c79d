const FAR = 10;
const WAYS = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 };

// One picture over another, up to a line that is dragged or moved by arrows, ten times as far with Shift.
class CompareSlider extends HTMLElement {
  connectedCallback() {
    this.range = this.querySelector('input[type=range]');
    this.range.addEventListener('input', () => this.place());
    this.range.addEventListener('keydown', (event) => this.leap(event));
    this.place();
    const view = this.closest('compare-view');
    if (!view) return;
    view.addEventListener('change', ({ target }) => target.name === 'over' && this.lay(target));
    const chosen = view.querySelector('[name=over]:checked');
    if (chosen) this.lay(chosen);
  }

  place() {
    this.style.setProperty('--at', `${this.range.value}%`);
  }

  lay(choice) {
    const stages = this.querySelectorAll('.stage');
    stages.forEach((stage, place) => stage.toggleAttribute('data-over', place === Number(choice.value)));
  }

  // Arrows belong to the line, not to the page, which goes to other pictures by them.
  leap(event) {
    const way = WAYS[event.key];
    if (!way) return;
    event.stopPropagation();
    if (!event.shiftKey) return;
    event.preventDefault();
    this.range.valueAsNumber += way * FAR;
    this.place();
  }
}

customElements.define('compare-slider', CompareSlider);
