/** Binary operators, as the specification groups them (https://hl7.org/fhirpath/N1/#operator-precedence). */
export type BinaryOperator =
  | '*'
  | '/'
  | 'div'
  | 'mod'
  | '+'
  | '-'
  | '&'
  | '|'
  | '<='
  | '<'
  | '>'
  | '>='
  | '='
  | '~'
  | '!='
  | '!~'
  | 'in'
  | 'contains'
  | 'and'
  | 'or'
  | 'xor'
  | 'implies';

/** The types of literals. Dates and times are kept as written, without the leading `@` or `@T`. */
export type Literal =
  | { readonly type: 'System.Boolean'; readonly value: boolean }
  | { readonly type: 'System.String'; readonly value: string }
  | { readonly type: 'System.Integer' | 'System.Decimal'; readonly value: number }
  | { readonly type: 'System.Date' | 'System.DateTime' | 'System.Time'; readonly value: string }
  | { readonly type: 'System.Quantity'; readonly value: { readonly value: number; readonly code: string } };

/** A parsed FHIRPath expression. `on` is what a step applies to; without it, the current focus. */
export type Expression =
  | { readonly kind: 'literal'; readonly literal: Literal }
  | { readonly kind: 'empty' }
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'special'; readonly name: '$this' | '$index' | '$total' }
  | { readonly kind: 'member'; readonly on?: Expression; readonly name: string }
  | { readonly kind: 'call'; readonly on?: Expression; readonly name: string; readonly args: readonly Expression[] }
  | { readonly kind: 'indexer'; readonly on: Expression; readonly index: Expression }
  | { readonly kind: 'negate'; readonly operand: Expression }
  | {
      readonly kind: 'binary';
      readonly operator: BinaryOperator;
      readonly left: Expression;
      readonly right: Expression;
    }
  | { readonly kind: 'type'; readonly operator: 'is' | 'as'; readonly on: Expression; readonly type: string };
