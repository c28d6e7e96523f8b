// A list as setData likes it. Each row has a slot, which it keeps, and `order` says in which order the
// slots are shown. So a change costs what has changed: a field is one path, a new row is one more,
// and what comes in above, moves or goes changes numbers in `order` alone. A list of 500 messages as
// a whole is 100 KB, for every read mark; `order` of 500 is 2 KB.

const sizeOf = require('./text').sizeOf;

const CALL_BYTES = 8192;
const NUMBERS_AT_ONCE = 1000;

function isSame(a, b) {
  return a === b || (Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every(function (each, index) {
    return each === b[index];
  }));
}

// Of an array so many elements go at once, and the others one by one, so that they can go in several calls.
function push(changes, path, value, atOnce) {
  if (!Array.isArray(value)) return changes.push([path, value]);
  changes.push([path, value.slice(0, atOnce)]);
  return pushElements(changes, path, value, atOnce);
}

function pushElements(changes, path, array, from) {
  array.slice(from).forEach(function (each, index) {
    changes.push([path + '[' + (from + index) + ']', each]);
  });
}

function pushRow(changes, path, row) {
  const start = Object.assign({}, row);
  Object.keys(row).forEach(function (key) {
    if (Array.isArray(row[key])) start[key] = row[key].slice(0, 1);
  });
  changes.push([path, start]);
  Object.keys(row).forEach(function (key) {
    if (Array.isArray(row[key])) pushElements(changes, path + '.' + key, row[key], 1);
  });
}

// The list of a page, in its `slots` and `order`.
module.exports = function listOf(page) {
  const slotOf = new Map();
  const slots = [];
  const free = [];
  let order = [];

  function changesTo(rows) {
    const changes = [];
    const next = rows.map(function (row) {
      const known = slotOf.get(row.id);
      const slot = known === undefined ? (free.length ? free.pop() : slots.length) : known;
      const path = 'slots[' + slot + ']';
      if (known === undefined) pushRow(changes, path, row);
      else {
        Object.keys(row).forEach(function (key) {
          if (!isSame(row[key], slots[slot][key])) push(changes, path + '.' + key, row[key], 1);
        });
      }
      slotOf.set(row.id, slot);
      slots[slot] = row;
      return slot;
    });
    const isLonger = order.every(function (slot, index) {
      return slot === next[index];
    });
    if (isLonger) pushElements(changes, 'order', next, order.length);
    else push(changes, 'order', next, NUMBERS_AT_ONCE);
    const shown = new Set(next);
    slotOf.forEach(function (slot, id) {
      if (shown.has(slot)) return;
      slotOf.delete(id);
      free.push(slot);
    });
    order = next;
    return changes;
  }

  return {
    // Shows these rows, each with its own `id`, and with the last of it this data, which is small.
    show: function (rows, data) {
      let call = {};
      let bytes = 0;
      changesTo(rows).forEach(function (change) {
        const size = sizeOf(change[0]) + sizeOf(change[1]) + 2;
        if (bytes && bytes + size > CALL_BYTES) {
          page.setData(call);
          call = {};
          bytes = 0;
        }
        call[change[0]] = change[1];
        bytes += size;
      });
      Object.assign(call, data);
      if (Object.keys(call).length) page.setData(call);
    },
  };
};
