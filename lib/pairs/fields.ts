// Reads typed fields of a row; each throws a RowFault that names the field, what it should be and what it is.
import { type Row } from "./containers/row";
import { RowFault, typeName } from "./faults";

/** Own fields only: a row may have a field called `constructor` or none called so. */
export const has = (row: Row, field: string): boolean => Object.hasOwn(row, field) && row[field] !== undefined;
export const get = (row: Row, field: string): unknown => (Object.hasOwn(row, field) ? row[field] : undefined);
/** What tables and annotators write where there is no value. */
const NO_VALUE: ReadonlySet<string> = new Set(["", "n/a", "na", "nan", "none", "null", "-"]);
const isNoNumber = (value: unknown): boolean =>
  value === null ||
  value === undefined ||
  Number.isNaN(value) ||
  (typeof value === "string" && NO_VALUE.has(value.trim().toLowerCase()));
const present = (row: Row, field: string): boolean => has(row, field) && row[field] !== null && row[field] !== "";

export function text(row: Row, field: string, label = field): string {
  const value = get(row, field);
  if (value === undefined) {
    const fields = Object.keys(row).slice(0, 12).join(", ") || "none";
    throw new RowFault("missing_field", `expected field "${label}", got only ${fields}`);
  }
  if (typeof value !== "string")
    throw new RowFault("wrong_type", `${label}: expected a string, got ${typeName(value)}`);
  return value;
}

/** A finite number, also written as text (CSV); undefined where the field is missing, null, NaN, "" or "N/A". */
export function optionalNumber(row: Row, field: string, label = field): number | undefined {
  const value = get(row, field);
  if (isNoNumber(value)) return undefined;
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number")
    throw new RowFault("wrong_type", `${label}: expected a number, got ${typeName(value)}`);
  if (!Number.isFinite(number)) {
    const got = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
    throw new RowFault("wrong_type", `${label}: expected a finite number, got ${got}`);
  }
  return number;
}

/** A name: text, or a number that becomes text; undefined where missing, null or "". */
export function optionalName(row: Row, field: string): string | undefined {
  if (!present(row, field)) return undefined;
  const value = row[field];
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw new RowFault("wrong_type", `${field}: expected a string, got ${typeName(value)}`);
}

export function list(row: Row, field: string, label = field): readonly unknown[] {
  const value = get(row, field);
  if (value === undefined) {
    throw new RowFault(
      "missing_field",
      `expected field "${label}", got only ${Object.keys(row).slice(0, 12).join(", ") || "none"}`,
    );
  }
  if (!Array.isArray(value)) throw new RowFault("wrong_type", `${label}: expected a list, got ${typeName(value)}`);
  return value;
}

export function object(row: Row, field: string): Row {
  const value = get(row, field);
  if (value === undefined) {
    throw new RowFault(
      "missing_field",
      `expected field "${field}", got only ${Object.keys(row).slice(0, 12).join(", ") || "none"}`,
    );
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new RowFault("wrong_type", `${field}: expected an object, got ${typeName(value)}`);
  return value as Row;
}
