import type { DateFormat } from './expression';

/** A day of the calendar, with a time and its zone behind it when the text had one. */
export interface WrittenDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** From the `T` on, e.g. `T09:00:00+02:00`; '' for a day alone. */
  readonly time: string;
}

const forms: Readonly<Record<DateFormat, RegExp>> = {
  ISO: /^(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)(?<time>T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/,
  DAY_MONTH_YEAR: /^(?<day>\d{1,2})[./-](?<month>\d{1,2})[./-](?<year>\d{4})$/,
  MONTH_DAY_YEAR: /^(?<month>\d{1,2})[./-](?<day>\d{1,2})[./-](?<year>\d{4})$/,
};

/** @returns undefined when the text is not written so, or names no day that exists. */
export function readDate(text: string, format: DateFormat = 'ISO'): WrittenDate | undefined {
  const parts = forms[format].exec(text.trim())?.groups;
  if (!parts) return undefined;
  const date = {
    year: Number(parts.year),
    month: Number(parts.month),
    day: Number(parts.day),
    time: parts.time ?? '',
  };
  const isDay = date.month >= 1 && date.month <= 12 && date.day >= 1 && date.day <= daysIn(date.year, date.month);
  return isDay && !Number.isNaN(instantOf(date).getTime()) ? date : undefined;
}

/** A day alone begins at midnight UTC. */
export function instantOf(date: WrittenDate): Date {
  return new Date(`${dayText(date)}${date.time || 'T00:00:00Z'}`);
}

/**
 * Months first, to the last day of a month that is too short, then days. The time of day stays.
 * @returns undefined when the result lies outside the years 1 to 9999.
 */
export function shifted(date: WrittenDate, { days = 0, months = 0 }): WrittenDate | undefined {
  const monthIndex = date.year * 12 + date.month - 1 + months;
  const year = Math.floor(monthIndex / 12);
  const month = (monthIndex % 12) + 1;
  if (year < 1 || year > 9999) return undefined;
  const moved = utcDay(year, month, Math.min(date.day, daysIn(year, month)) + days);
  const movedYear = moved.getUTCFullYear();
  if (Number.isNaN(movedYear) || movedYear < 1 || movedYear > 9999) return undefined;
  return { year: movedYear, month: moved.getUTCMonth() + 1, day: moved.getUTCDate(), time: date.time };
}

export function writtenDate(date: WrittenDate): string {
  return `${dayText(date)}${date.time}`;
}

function dayText({ year, month, day }: WrittenDate): string {
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

function daysIn(year: number, month: number): number {
  return utcDay(year, month + 1, 0).getUTCDate();
}

/** Date.UTC takes years below 100 for those of the 20th century. */
function utcDay(year: number, month: number, day: number): Date {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date;
}
