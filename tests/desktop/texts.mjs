// The texts to type, generated from sets of characters.

const LENGTH = 200;

const han = Array.from({ length: LENGTH }, (_, n) => String.fromCodePoint(0x4e00 + n * 7)).join("");

const sets = {
  ASCII: 'The quick brown fox (jumps) over "13" lazy dogs; {a[0]} = $b & ~c ^ d | e\\f `g` @h #i 50%!? <j> +-*/_,.:\'',
  "accented Latin": "éèêëàâäçñöøßÉÈÊÀÄÇÑÖØÅåœŒ÷×«»¿¡ŁłŠšŽžİı and plain",
  Cyrillic: "Съешь же ещё этих мягких французских булок, да выпей чаю. СЪЕШЬ ЖЕ ЕЩЁ",
  Greek: "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία ΑΒΓΔ",
  CJK: han,
  emoji: "😀🎉🚀👍🏽❤️🔥🧪🐢🦀👩‍💻𝔘𐍈 ",
  mixed: "line\n\ttabbed é漢😀 Ж\n",
};

export const setNames = Object.keys(sets);

/** Returns 200 characters of text from a set. The text differs in each round. */
export function sample(set, round) {
  const characters = [...sets[set]];
  const text = Array.from({ length: LENGTH }, (_, n) => characters[(n + round * 3) % characters.length]);
  // The last character is not a line break, because some editors do not report a line break at the end.
  return [...text.slice(0, -1), "z"].join("");
}
