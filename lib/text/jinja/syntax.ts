// In: a template's source. Out: its syntax tree, typed: @huggingface/jinja parses, the meaning is given in evaluate.ts.
import { parse, tokenize } from "@huggingface/jinja";

interface Literal<T extends string, V> {
  readonly type: T;
  readonly value: V;
}
export type Identifier = Literal<"Identifier", string>;
export interface CallNode {
  readonly type: "CallExpression";
  readonly callee: Node;
  readonly args: readonly Node[];
}
export interface KeywordNode {
  readonly type: "KeywordArgumentExpression";
  readonly key: Identifier;
  readonly value: Node;
}
export interface MemberNode {
  readonly type: "MemberExpression";
  readonly object: Node;
  readonly property: Node;
  readonly computed: boolean;
}
export interface SetNode {
  readonly type: "Set";
  readonly assignee: Node;
  readonly value: Node | null;
  readonly body: readonly Node[];
}
export interface ForNode {
  readonly type: "For";
  readonly loopvar: Node;
  readonly iterable: Node;
  readonly body: readonly Node[];
  readonly defaultBlock: readonly Node[];
}
export interface MacroNode {
  readonly type: "Macro";
  readonly name: Identifier;
  readonly args: readonly Node[];
  readonly body: readonly Node[];
}
export interface CallBlockNode {
  readonly type: "CallStatement";
  readonly call: CallNode;
  readonly callerArgs: readonly Node[] | null;
  readonly body: readonly Node[];
}
export interface FilterNode {
  readonly type: "FilterExpression";
  readonly operand: Node;
  readonly filter: Identifier | CallNode;
}

export type Node =
  | Identifier
  | Literal<"IntegerLiteral", number>
  | Literal<"FloatLiteral", number>
  | Literal<"StringLiteral", string>
  | Literal<"ArrayLiteral", readonly Node[]>
  | Literal<"TupleLiteral", readonly Node[]>
  | Literal<"ObjectLiteral", ReadonlyMap<Node, Node>>
  | Literal<"Comment", string>
  | CallNode
  | KeywordNode
  | MemberNode
  | SetNode
  | ForNode
  | MacroNode
  | CallBlockNode
  | FilterNode
  | { readonly type: "Program"; readonly body: readonly Node[] }
  | { readonly type: "If"; readonly test: Node; readonly body: readonly Node[]; readonly alternate: readonly Node[] }
  | { readonly type: "Break" | "Continue" }
  | {
      readonly type: "BinaryExpression";
      readonly operator: { readonly value: string };
      readonly left: Node;
      readonly right: Node;
    }
  | { readonly type: "UnaryExpression"; readonly operator: { readonly value: string }; readonly argument: Node }
  | { readonly type: "FilterStatement"; readonly filter: Identifier | CallNode; readonly body: readonly Node[] }
  | { readonly type: "SelectExpression"; readonly lhs: Node; readonly test: Node }
  | { readonly type: "TestExpression"; readonly operand: Node; readonly negate: boolean; readonly test: Identifier }
  | { readonly type: "Ternary"; readonly condition: Node; readonly trueExpr: Node; readonly falseExpr: Node }
  | { readonly type: "SliceExpression"; readonly start?: Node; readonly stop?: Node; readonly step?: Node }
  | { readonly type: "SpreadExpression" | "KeywordSpreadExpression"; readonly argument: Node };

/** Jinja reads every kind of line end as one newline (`newline_sequence`); transformers trims and strips blocks. */
export function parseTemplate(source: string): readonly Node[] {
  const program = parse(tokenize(source.replace(/\r\n?/g, "\n"), { lstrip_blocks: true, trim_blocks: true }));
  return (program as unknown as { readonly body: readonly Node[] }).body;
}
