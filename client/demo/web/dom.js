// What the pages are built of. Whatever somebody typed reaches the page by textContent alone, never as HTML.

import { hueOf, initialOf } from './display.js';
import { t } from './language.js';

export const $ = (id) => document.getElementById(id);

export function make(tag, className, testid) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (testid) node.dataset.testid = testid;
  return node;
}

export function makeButton(className, testid, onClick) {
  const button = make('button', className, testid);
  button.type = 'button';
  button.addEventListener('click', onClick);
  return button;
}

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  svg.setAttribute('aria-hidden', 'true');
  use.setAttribute('href', '#i-' + name);
  svg.append(use);
  return svg;
}

// Writing the same text again would make a screen reader say it again.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// The number is for the eye, the sentence for the ear.
export function setBadge(node, count) {
  if (!node.firstElementChild) {
    const number = make('span');
    number.setAttribute('aria-hidden', 'true');
    node.append(number, make('span', 'sr'));
  }
  node.hidden = !count;
  setText(node.firstElementChild, count > 99 ? '99+' : String(count || ''));
  setText(node.lastElementChild, count ? t('unread', count) : '');
}

export function setAvatar(node, userID, name) {
  node.dataset.hue = String(hueOf(userID));
  setText(node, initialOf(name));
}

// Puts exactly these nodes into the parent, in this order, and moves only those that have to be
// moved, so that focus, scrolling and live regions are left in peace.
export function place(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of Array.from(parent.children)) if (!wanted.has(child)) child.remove();
  nodes.forEach((node, index) => {
    if (parent.children[index] !== node) parent.insertBefore(node, parent.children[index] || null);
  });
}
