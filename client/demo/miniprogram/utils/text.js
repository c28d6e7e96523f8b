// Texts of other users: checked, and cut where a reader would cut them. A family is seven code points
// and a flag two; cutting in between makes other characters of it.

const PART_BYTES = 4096;

// Not every phone has Intl.Segmenter. There the usual sequences are kept.
const SEQUENCES =
  /\p{RI}\p{RI}|[\d#*]\uFE0F?\u20E3|\p{Emoji}[\p{EMod}\uFE0F\u{E0020}-\u{E007F}]*(?:\u200D\p{Emoji}[\p{EMod}\uFE0F]*)*|\P{M}\p{M}*|\p{M}+/gsu;

const segmenter = typeof Intl === 'object' && Intl.Segmenter ? new Intl.Segmenter(undefined, { granularity: 'grapheme' }) : null;

function of(value) {
  return typeof value === 'string' ? value : '';
}

// Whether `take` wants more is its answer.
function eachCharacter(text, take) {
  if (segmenter) {
    for (const each of segmenter.segment(text)) if (!take(each.segment)) return;
  } else {
    SEQUENCES.lastIndex = 0;
    for (let found = SEQUENCES.exec(text); found && take(found[0]); ) found = SEQUENCES.exec(text);
  }
}

// What a text takes in UTF-8.
function byteLength(text) {
  let bytes = 0;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    // The two halves of a pair have four bytes together.
    bytes += unit < 0x80 ? 1 : unit < 0x800 || unit >> 11 === 0x1b ? 2 : 3;
  }
  return bytes;
}

// What a value takes on its way to the screen.
function sizeOf(value) {
  return byteLength(JSON.stringify(value));
}

function first(text) {
  let character = '?';
  eachCharacter(text, function (each) {
    character = each;
    return false;
  });
  return character;
}

// The start of a text that takes no more than so many bytes on its way to the screen, in whole characters.
function head(text, bytes) {
  if (sizeOf(text) <= bytes) return text;
  let start = '';
  let left = bytes - 2; // The quotation marks.
  const take = function (each) {
    left -= sizeOf(each) - 2;
    if (left >= 0) start += each;
    return left >= 0;
  };
  eachCharacter(text, take);
  if (start) return start;
  // One letter under a tower of marks: it has to be cut all the same.
  left = bytes - 2;
  Array.from(text).every(take);
  return start;
}

// A text in pieces, each of which fits into one setData.
function parts(text) {
  const pieces = [];
  for (let rest = text; rest; rest = rest.slice(pieces[pieces.length - 1].length)) pieces.push(head(rest, PART_BYTES));
  return pieces;
}

module.exports = { first: first, head: head, of: of, parts: parts, sizeOf: sizeOf };
