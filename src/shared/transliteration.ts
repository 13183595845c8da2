/** Letters of names that are no letter of ASCII with a mark on it. Marks are taken off, so `é` and `ё` need no entry. */
const latin = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ı: 'i',
  ŋ: 'n',
  ħ: 'h',
  ŧ: 't',
  ə: 'e',
};

/** After ELOT 743, without its rules for neighbours except `ου`. */
const greek = 'α a β v γ g δ d ε e ζ z η i θ th ι i κ k λ l μ m ν n ξ x ο o π p ρ r σ s ς s τ t υ y φ f χ ch ψ ps ω o';

/** As passports of the countries that write it mostly do. A soft or hard sign is left out. */
const cyrillic =
  'а a б b в v г g ґ g д d е e ж zh з z и i й y к k л l м m н n о o п p р r с s т t у u ф f х kh ц ts ч ch ш sh щ shch ы y э e ю yu я ya і i ї yi є ye ђ dj ј j љ lj њ nj ћ c џ dz ѓ gj ќ kj ѕ dz ў u';

const punctuation = { '‘': "'", '’': "'", ʼ: "'", '‐': '-', '‑': '-', '–': '-', '—': '-' };

const letters: ReadonlyMap<string, string> = new Map([
  ...Object.entries(latin),
  ...pairsOf(greek),
  ...pairsOf(cyrillic),
  ...Object.entries(punctuation),
  ['ъ', ''],
  ['ь', ''],
]);

/**
 * A text in the letters of ASCII, as far as it is written in Latin (whatever the marks), Greek or Cyrillic letters.
 * Letters of other scripts are left out, so what comes back may be blank. The same text always gives the same.
 */
export function transliterate(text: string): string {
  return [...text.normalize('NFC').replace(/ο[υύ]/giu, (pair) => (pair[0] === 'Ο' ? 'Ou' : 'ou'))]
    .map(letterOf)
    .join('');
}

function letterOf(character: string): string {
  const whole = known(character);
  if (whole !== undefined) return whole;
  return [...character.normalize('NFKD')].map((part) => known(part) ?? '').join('');
}

function known(character: string): string | undefined {
  if (character >= ' ' && character <= '~') return character;
  const lower = character.toLowerCase();
  const found = letters.get(lower);
  if (found === undefined || lower === character) return found;
  return found.slice(0, 1).toUpperCase() + found.slice(1);
}

function* pairsOf(table: string): Generator<[string, string]> {
  const words = table.split(' ');
  for (let index = 0; index + 1 < words.length; index += 2) yield [words[index] ?? '', words[index + 1] ?? ''];
}
