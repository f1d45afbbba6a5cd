// In: rows of a file, one by one. Out: their pairs; whatever is not used is counted in the report.
import { InputError } from "../errors";
import type { RawRow, Row } from "./containers/row";
import { type FieldTree, fieldTree, ignoredFields, refusePrinted, unreadFields, withoutFields } from "./context";
import { type Reason, RowFault, isFault } from "./faults";
import { detectFormat } from "./formats";
import { COMMON_FIELDS, type Draft, type Numbered, type Outcome, type PairFormat, isLeftOut } from "./formats/format";
import { optionalName } from "./fields";
import type { PreferencePair } from "./pair";
import type { Place, ReadReport } from "./readReport";
import { repeatsPrompt, withoutRepeatedPrompt } from "./repeatedPrompt";
import { brokenRule, finishPair, isTie, scoresOrNone } from "./rules";

/** How a file is read. */
export interface ReadOptions {
  /** Go on without rows at fault: they are counted and listed in the report. Default false. */
  readonly skip_bad_rows?: boolean;
  /** Name of a format; default: recognised by the fields. */
  readonly format?: string;
  /** Least difference of two ratings that makes a pair. Default 1. */
  readonly minimum_gap?: number;
  /** Keep exact ties; default: as the source does, which is to keep them in the original notebook's schema alone. */
  readonly keep_ties?: boolean;
  /** Field that holds the category instead of `category`; `meta.topic` names a nested one. */
  readonly category_field?: string;
  /** Fields to read as if they were not there, separated by commas. */
  readonly ignore_fields?: string;
  /** No error when not one pair is usable. Default false. */
  readonly allow_none?: boolean;
}

/** Fields without use that are told apart. */
const UNREAD_NAMES = 200;

export interface Reader {
  /** Decides how to read from the first rows. */
  begin(format: PairFormat | undefined, first: readonly RawRow[]): void;
  push(row: RawRow): PreferencePair[];
  end(): PreferencePair[];
  /** @throws InputError where no row has the category's field */
  requireCategory(): void;
}

/** What is decided once for a file. */
interface Plan {
  /** Undefined where a file has no sound row among the first. */
  format: PairFormat | undefined;
  fields: FieldTree;
  /** Most rows repeat the prompt at the head of both answers. */
  repeatsPrompt: boolean;
}

export function createReader(options: ReadOptions, report: ReadReport): Reader {
  const { minimum_gap = 1, skip_bad_rows = false, category_field } = options;
  const ignored = ignoredFields(options.ignore_fields);
  const plan: Plan = { format: undefined, fields: fieldTree([]), repeatsPrompt: false };
  let group: Numbered[] = [];
  let key: string | undefined;
  let categories = 0;

  const reject = ({ line, fileLine }: Place, reason: Reason, message: string, id?: string) => {
    report.rejected.push({ line, ...(fileLine && { fileLine }), ...(id === undefined ? {} : { id }), reason, message });
    report.counts[reason] = (report.counts[reason] ?? 0) + 1;
    if (isFault(reason)) report.errors++;
  };
  /** Runs what may throw a RowFault; the fault is recorded against each of the rows. */
  const guard = <T>(rows: readonly Numbered[], work: () => T): T | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof RowFault)) throw error;
      for (const row of rows) reject(row, error.reason, error.message, safeId(row.row));
      return undefined;
    }
  };
  const prepared = (row: Row): Row => {
    const kept = withoutFields(row, ignored);
    if (category_field === undefined) return kept;
    const category = nested(kept, category_field);
    if (category !== undefined && category !== null) categories++;
    return { ...kept, category };
  };
  /** The drafts of rows, after a look at what the format does not read of them. */
  const outcomesOf = (format: PairFormat, rows: readonly Row[]): readonly Outcome[] => {
    for (const row of rows) refusePrinted(row, plan.fields);
    const outcomes = format.convert(rows, { minimum_gap });
    const texts = outcomes.flatMap((outcome) => (isLeftOut(outcome) ? [] : textsOf(outcome)));
    if (texts.length > 0)
      for (const row of rows)
        for (const path of unreadFields(row, plan.fields, texts, { format: format.name, asides: format.asides })) {
          const name = path in report.unread || Object.keys(report.unread).length < UNREAD_NAMES ? path : "(other)";
          report.unread[name] = (report.unread[name] ?? 0) + 1;
        }
    return outcomes;
  };
  const note = (text: string | undefined) => {
    if (text !== undefined) report.notes[text] = (report.notes[text] ?? 0) + 1;
  };
  /** A draft as a pair; undefined where a rule leaves it out. */
  const finish = (format: PairFormat, draft: Draft, first: Numbered, part: number): PreferencePair | undefined => {
    const keep_ties = options.keep_ties ?? format.keepsTies === true;
    const broken = brokenRule(draft, { keep_ties, promptMayBeEmpty: format.implicitPrompt === true });
    if (broken) {
      reject(first, broken.rule, broken.message, draft.id ?? draft.questionId);
      return undefined;
    }
    if (isTie(draft)) report.kept_ties++;
    return finishPair(draft, first, part, format.expands === true);
  };
  const convert = (rows: readonly Numbered[]): PreferencePair[] => {
    const { format } = plan;
    const outcomes = guard(rows, () =>
      outcomesOf(
        format!,
        rows.map(({ row }) => row),
      ),
    );
    const pairs: PreferencePair[] = [];
    outcomes?.forEach((outcome, part) => {
      if (isLeftOut(outcome)) return reject(rows[0], outcome.rule, outcome.message, outcome.id);
      const once = withoutRepeatedPrompt(outcome, plan.repeatsPrompt);
      const { draft, note: said } = scoresOrNone(once.draft);
      const pair = finish(format!, draft, rows[0], part);
      if (!pair) return;
      note(once.note);
      note(said);
      pairs.push(pair);
    });
    // After a fault the file is only read on to count them.
    if (report.errors > 0 && !skip_bad_rows) return [];
    report.used += pairs.length;
    if (pairs.length > 0) report.used_rows += rows.length;
    return pairs;
  };
  const flush = (): PreferencePair[] => {
    const rows = group;
    group = [];
    key = undefined;
    return rows.length > 0 ? convert(rows) : [];
  };
  return {
    begin(format, first) {
      plan.format = format;
      if (!format) return;
      plan.fields = fieldTree([...format.fields, ...COMMON_FIELDS, ...(category_field ? [category_field] : [])]);
      plan.repeatsPrompt = mostRepeatPrompt(
        format,
        first.flatMap(({ value }) => (value ? [prepared(value)] : [])),
      );
      categories = 0;
      Object.assign(report, { format: format.name, reads: format.reads });
    },
    push(raw) {
      report.rows++;
      if (raw.fault) reject(raw, raw.fault.reason, raw.fault.message);
      if (!raw.value) return [];
      // Every row among the first was broken: the first sound one decides.
      if (!plan.format) this.begin(detectFormat([raw.value], report.path), [raw]);
      const format = plan.format!;
      const numbered = { row: prepared(raw.value), line: raw.line, fileLine: raw.fileLine };
      if (!format.groupKey) return convert([numbered]);
      const next = guard([numbered], () => {
        refusePrinted(numbered.row, plan.fields);
        format.convert([numbered.row], { minimum_gap });
        return format.groupKey!(numbered.row);
      });
      if (next === undefined) return [];
      const done = next === key ? [] : flush();
      group.push(numbered);
      key = next;
      return done;
    },
    end: flush,
    requireCategory() {
      if (category_field === undefined || categories > 0) return;
      throw new InputError(
        `${report.path}: expected rows with the field ${JSON.stringify(category_field)}, got none; name another with --category-field`,
      );
    },
  };
}

/** A field by its name, or by a path of names. */
function nested(row: Row, path: string): unknown {
  if (Object.hasOwn(row, path)) return row[path];
  let value: unknown = row;
  for (const name of path.split("."))
    value =
      typeof value === "object" && value !== null && Object.hasOwn(value, name) ? (value as Row)[name] : undefined;
  return value;
}

/** Whether in most of the first rows both answers begin with the prompt. */
function mostRepeatPrompt(format: PairFormat, rows: readonly Row[]): boolean {
  let [pairs, repeats] = [0, 0];
  for (const row of rows) {
    try {
      for (const outcome of format.convert([row], { minimum_gap: 0 })) {
        if (isLeftOut(outcome)) continue;
        pairs++;
        if (repeatsPrompt(outcome)) repeats++;
      }
    } catch (error) {
      if (!(error instanceof RowFault)) throw error;
    }
  }
  return repeats > pairs / 2;
}

const textsOf = (draft: Draft): string[] => [
  draft.prompt,
  ...[draft.promptMessages, draft.chosenMessages, draft.rejectedMessages].flatMap((messages) =>
    (messages ?? []).map(({ content }) => content),
  ),
  draft.chosen,
  draft.rejected,
];

/** The row's own name for the list of rejected rows; never a second fault. */
function safeId(row: Row): string | undefined {
  try {
    return optionalName(row, "id") ?? optionalName(row, "question_id");
  } catch {
    return undefined;
  }
}
