// Says under each field of a form what is wrong with it, as the server does in a page, opens what hides it,
// and goes to the first. What belongs to no field stands above them. Returns whether the answer said any of it.
export async function showFailure(form, answer) {
  const { error } = answer.status === 401 ? {} : await answer.json().catch(() => ({}));
  if (error) show(form, error);
  return Boolean(error);
}

function show(form, { message, fields }) {
  clearErrors(form);
  for (const [name, sentence] of Object.entries(fields)) {
    const word = form.querySelector(`#wrong-${CSS.escape(name)}`);
    if (!word) message = sentence;
    else say(form, word, sentence);
  }
  const first = form.querySelector('[aria-invalid]');
  if (first) first.focus();
  else write(form.querySelector('#wrong-form'), message);
}

export function clearErrors(form) {
  for (const word of form.querySelectorAll('.wrong')) word.hidden = true;
  for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
}

function say(form, word, sentence) {
  write(word, sentence);
  for (const field of form.querySelectorAll(`[aria-describedby~="${word.id}"]`)) {
    field.setAttribute('aria-invalid', 'true');
    for (let one = field.closest('details'); one; one = one.parentElement.closest('details')) one.open = true;
  }
}

function write(word, sentence) {
  word.textContent = sentence;
  word.hidden = false;
}
