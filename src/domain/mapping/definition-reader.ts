import { InvalidInput } from '../errors';
import { holdsSecret } from '../label';
import { mappingLimits } from './mapping';

export type Path = readonly string[];

/** An object whose members are known by name and not read yet. */
export type Members<Name extends string> = { readonly [Member in Name]?: unknown };

/**
 * Reads values of unknown shape and notes every mistake with its place, instead of stopping at the first. What could not
 * be read comes back as undefined, so the result counts only when there are no problems.
 */
export class DefinitionReader {
  readonly problems: InvalidInput[] = [];
  #nodes = 0;

  get isFull(): boolean {
    return this.problems.length >= mappingLimits.problems;
  }

  report(path: Path, message: string, remedy?: string): undefined {
    if (!this.isFull) this.problems.push(new InvalidInput(message, { path, remedy }));
    return undefined;
  }

  /** Counts an expression or a condition. @returns false when it is beyond what one mapping may hold. */
  enter(path: Path, depth: number): boolean {
    this.#nodes += 1;
    if (this.#nodes === mappingLimits.nodes + 1) {
      this.report(path, `A mapping has at most ${mappingLimits.nodes} expressions and conditions.`);
    }
    if (depth > mappingLimits.depth) {
      this.report(path, `Expressions and conditions nest at most ${mappingLimits.depth} levels deep.`);
      return false;
    }
    return this.#nodes <= mappingLimits.nodes && !this.isFull;
  }

  /** Members that are null count as absent. @returns undefined when it is no object. */
  object<Name extends string>(value: unknown, path: Path, names: readonly Name[]): Members<Name> | undefined {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return this.report(path, `This is an object with ${listOf(names)}.`);
    }
    const given = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
    const known: { [Member in Name]?: unknown } = {};
    let unknownCount = 0;
    for (const [key, member] of given) {
      const name = names.find((candidate) => candidate === key);
      if (name !== undefined) known[name] = member;
      else unknownCount += 1;
    }
    // The key itself is not repeated: it may be a value that stands in the wrong place.
    if (unknownCount > 0)
      this.report(path, `This object has a member that is not known here. It can have ${listOf(names)}.`);
    return known;
  }

  /** An object that has exactly one of the members. */
  one<Name extends string>(value: unknown, path: Path, names: readonly Name[]): readonly [Name, unknown] | undefined {
    const problemsBefore = this.problems.length;
    const members = this.object(value, path, names);
    if (!members) return undefined;
    const given = names.filter((name) => members[name] !== undefined);
    const [first] = given;
    if (first !== undefined && given.length === 1) return [first, members[first]];
    if (this.problems.length > problemsBefore) return undefined;
    return this.report(path, `This object has exactly one member: ${listOf(names, 'or')}.`);
  }

  list(
    value: unknown,
    path: Path,
    { least = 1, most }: { least?: number; most: number },
  ): readonly unknown[] | undefined {
    if (!Array.isArray(value)) return this.report(path, 'This is a list.');
    if (value.length >= least && value.length <= most) return value;
    return this.report(path, `This list has ${least} to ${most} entries.`);
  }

  /** @param options.isBlankAllowed also '' and blanks. */
  text(
    value: unknown,
    path: Path,
    { longest = mappingLimits.textLength, isBlankAllowed = false }: { longest?: number; isBlankAllowed?: boolean } = {},
  ): string | undefined {
    if (typeof value !== 'string') return this.report(path, 'This is a text.');
    if (value.length > longest) return this.report(path, `This text has at most ${longest} characters.`);
    if (value.trim() === '' && !isBlankAllowed) return this.report(path, 'This text must not be blank.');
    if (holdsSecret(value)) {
      return this.report(
        path,
        'A mapping must not hold a token or a key, since it is stored and shown as it is.',
        'Look whether two fields were mixed up.',
      );
    }
    if (value.includes('\u0000')) return this.report(path, 'This text holds a character that cannot be stored.');
    return value;
  }

  whole(value: unknown, path: Path, { least, most }: { least: number; most: number }): number | undefined {
    if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value;
    return this.report(path, `This is a whole number from ${least} to ${most}.`);
  }

  flag(value: unknown, path: Path): boolean | undefined {
    return typeof value === 'boolean' ? value : this.report(path, 'This is `true` or `false`.');
  }

  word<Word extends string>(value: unknown, path: Path, words: readonly Word[]): Word | undefined {
    return words.find((word) => word === value) ?? this.report(path, `This is ${listOf(words, 'or')}.`);
  }
}

/** Without the members that are undefined, so that what is stored is what was given. */
export function compact<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Value;
}

function listOf(names: readonly string[], link = 'and'): string {
  const quoted = names.map((name) => `\`${name}\``);
  const last = quoted.at(-1) ?? '';
  return quoted.length < 2 ? last : `${quoted.slice(0, -1).join(', ')} ${link} ${last}`;
}
