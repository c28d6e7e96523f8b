// What lies over the chat for a while: a line of text, a question, a menu.

import { $, makeButton, setText } from './dom.js';

let toastTimer = 0;

export function toast(text) {
  setText($('toast'), text);
  $('toast').hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    $('toast').hidden = true;
  }, 3500);
}

/**
 * Asks, and resolves with whether the answer was yes. A question that is still open is answered no. `picture` is the address
 * of one that the question is about. Where yes is not harmless, something is lost by it.
 */
export function ask(text, yes, { picture = '', isHarmless = false } = {}) {
  const dialog = $('dialog');
  if (dialog.open) {
    dialog.close('no');
    // Its close event is yet to come; the one that asks now must not take it for an answer.
    dialog.onclose();
  }
  setText($('dialog-text'), text);
  setText($('dialog-yes'), yes);
  $('dialog-yes').className = isHarmless ? 'primary' : 'danger';
  $('dialog-picture').hidden = !picture;
  $('dialog-input').hidden = true;
  if (picture) $('dialog-picture').src = picture;
  return new Promise((resolve) => {
    const done = (answer) => () => dialog.close(answer);
    $('dialog-yes').onclick = done('yes');
    $('dialog-input').onkeydown = (event) => {
      if (event.key === 'Enter' && !event.isComposing) dialog.close('yes');
    };
    $('dialog-no').onclick = done('no');
    dialog.onclose = () => {
      if (!dialog.open) resolve(dialog.returnValue === 'yes');
    };
    dialog.returnValue = 'no';
    dialog.showModal();
  });
}

/** Asks for a line of text: null when the user does not want to say one. */
export async function askText(question, yes, text = '') {
  const answer = ask(question, yes, { isHarmless: true });
  $('dialog-input').hidden = false;
  $('dialog-input').value = text;
  $('dialog-input').focus();
  return (await answer) ? $('dialog-input').value.trim() : null;
}

// ---------------------------------------------------------------------------------------------
// Menus: by the button that appears on hover, by the right mouse button, by a long press

let menuOwner = null;

export function closeMenu() {
  if ($('menu').hidden) return;
  $('menu').hidden = true;
  if (menuOwner && menuOwner.isConnected) menuOwner.focus({ preventScroll: true });
  menuOwner = null;
}

/** Opens a menu of `{label, testid, danger, run}` at a place. Focus goes back to the owner. */
export function openMenu(at, owner, items) {
  const menu = $('menu');
  menuOwner = owner;
  menu.replaceChildren(
    ...items.map((item) => {
      const button = makeButton(item.danger ? 'danger' : '', item.testid, () => {
        closeMenu();
        item.run();
      });
      button.setAttribute('role', 'menuitem');
      setText(button, item.label);
      return button;
    }),
  );
  menu.hidden = false;
  const box = menu.getBoundingClientRect();
  menu.style.left = Math.max(8, Math.min(at.x, innerWidth - box.width - 8)) + 'px';
  menu.style.top = Math.max(8, at.y + box.height + 8 > innerHeight ? at.y - box.height : at.y) + 'px';
  menu.firstElementChild.focus({ preventScroll: true });
}

export function openMenuBelow(button, items) {
  const box = button.getBoundingClientRect();
  openMenu({ x: box.right - 132, y: box.bottom + 4 }, button, items);
}

$('menu').addEventListener('keydown', (event) => {
  const buttons = Array.from($('menu').children);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) {
    event.preventDefault();
    buttons[(buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length].focus();
  }
  if (event.key === 'Tab') closeMenu();
});
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') closeMenu();
});
document.addEventListener('pointerdown', (event) => {
  if (!$('menu').contains(event.target)) closeMenu();
});

/** Calls the handler for the right mouse button and for a long press, for which iOS has no contextmenu event. */
export function onPress(parent, selector, handler) {
  let timer = 0;
  let pressed = false;
  const stop = () => clearTimeout(timer);
  parent.addEventListener('contextmenu', (event) => {
    const target = event.target.closest(selector);
    if (!target || String(getSelection())) return;
    event.preventDefault();
    stop();
    handler(target, { x: event.clientX, y: event.clientY });
  });
  parent.addEventListener('pointerdown', (event) => {
    const target = event.target.closest(selector);
    pressed = false;
    if (event.pointerType !== 'touch' || !target) return;
    timer = setTimeout(() => {
      pressed = true;
      handler(target, { x: event.clientX, y: event.clientY });
    }, 500);
  });
  ['pointerup', 'pointercancel', 'pointermove'].forEach((type) => parent.addEventListener(type, stop));
  // The click at the end of a long press is part of the press.
  parent.addEventListener(
    'click',
    (event) => {
      if (pressed) event.stopPropagation();
      pressed = false;
    },
    true,
  );
}
