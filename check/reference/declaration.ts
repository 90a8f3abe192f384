// The declaration of an export for a reader: its types without the implementation.

import type {
  Class,
  Function as FunctionNode,
  Node,
  ParamPattern,
  TSInterfaceDeclaration,
  TSSignature,
  VariableDeclarator,
} from 'oxc-parser'
import type { DocComment } from './doc-comment.ts'
import type { Declared, Source } from './source.ts'
import { nameOf } from './source.ts'

export type Kind = 'function' | 'constant' | 'class' | 'interface' | 'type'

/** An export, as it is shown. */
export interface Shown {
  readonly name: string
  readonly kind: Kind
  readonly source: Source
  readonly comment: DocComment | undefined
  /** In TypeScript. */
  readonly code: string
  /** The members with a section of their own: the methods of an interface. */
  readonly methods: readonly Method[]
}

/** A method, with all its overloads. */
export interface Method {
  readonly name: string
  readonly code: string
  /** Of the first overload; those of the others follow. */
  readonly comment: DocComment | undefined
  readonly more: readonly DocComment[]
}

export function shownOf({ name, source, node, declaration }: Declared): Shown {
  const comment = source.commentAt(node.start)
  const plain = { name, source, comment, methods: [] }
  const from = (kind: Kind, code: string): Shown => ({ ...plain, kind, code })
  if (declaration.type === 'FunctionDeclaration' || declaration.type === 'TSDeclareFunction') {
    return from('function', functionCode(source, declaration))
  }
  if (declaration.type === 'ClassDeclaration') return from('class', classCode(source, declaration))
  if (declaration.type === 'TSTypeAliasDeclaration') return from('type', slice(source, declaration))
  if (declaration.type === 'TSInterfaceDeclaration')
    return { ...plain, kind: 'interface', ...interfaceOf(source, declaration) }
  if (declaration.type === 'VariableDeclaration') {
    const declarator = declaration.declarations.find(({ id }) => nameOf(id) === name)
    return from('constant', `const ${name}${declarator === undefined ? '' : valueCode(source, declarator)}`)
  }
  throw new Error(`${source.path}: ${name} is of a kind that the reference cannot show.`)
}

/** The type of a constant, or its value if that is clearer. */
function valueCode(source: Source, { id, init }: VariableDeclarator): string {
  if (id.typeAnnotation) return slice(source, id.typeAnnotation)
  if (init?.type === 'TSAsExpression' && slice(source, init.typeAnnotation) !== 'const') {
    return `: ${slice(source, init.typeAnnotation)}`
  }
  return init === null ? '' : ` = ${slice(source, init)}`
}

function interfaceOf(source: Source, declaration: TSInterfaceDeclaration): Pick<Shown, 'code' | 'methods'> {
  const { body } = declaration.body
  const methods = body.filter((member) => isMethod(source, member))
  const rest = body.filter((member) => !methods.includes(member))
  const head = source.text.slice(declaration.start, declaration.body.start).trim()
  const members = rest.map((member) => source.text.slice(source.startWithComment(member.start), member.end))
  const code = rest.length === 0 ? head : `${head} {\n  ${members.join('\n  ')}\n}`
  return { code, methods: methodsOf(source, methods) }
}

/** Methods get a section; properties are in the declaration. */
function isMethod(source: Source, member: TSSignature): boolean {
  if (member.type === 'TSMethodSignature') return true
  return (source.commentAt(member.start)?.examples.length ?? 0) > 0
}

function methodsOf(source: Source, members: readonly TSSignature[]): readonly Method[] {
  const methods = new Map<string, Method>()
  for (const member of members) {
    const name = memberName(member)
    const comment = source.commentAt(member.start)
    const code = dedented(slice(source, member).replace(/^readonly /, ''))
    const before = methods.get(name)
    const more = before === undefined || comment === undefined ? [] : [comment]
    if (before === undefined) methods.set(name, { name, code, comment, more: [] })
    else methods.set(name, { ...before, code: `${before.code}\n${code}`, more: [...before.more, ...more] })
  }
  return [...methods.values()]
}

function memberName(member: TSSignature): string {
  return 'key' in member ? nameOf(member.key) : ''
}

function functionCode(source: Source, { id, params, typeParameters, returnType }: FunctionNode): string {
  const generics = typeParameters ? slice(source, typeParameters) : ''
  const shown = params.map((parameter) => parameterCode(source, parameter))
  return `function ${nameOf(id)}${generics}(${shown.join(', ')})${returnType ? slice(source, returnType) : ''}`
}

/** A parameter as its caller sees it: one with a default is optional. */
function parameterCode(source: Source, parameter: ParamPattern): string {
  if (parameter.type === 'RestElement' || parameter.type === 'TSParameterProperty') return slice(source, parameter)
  const pattern = parameter.type === 'AssignmentPattern' ? parameter.left : parameter
  // Without a type, the default says more than a question mark.
  if (pattern.type === 'Identifier' && !pattern.typeAnnotation) return slice(source, parameter)
  const name = nameOf(pattern) || 'options'
  const optional =
    parameter.type === 'AssignmentPattern' || ('optional' in pattern && Boolean(pattern.optional)) ? '?' : ''
  return `${name}${optional}${pattern.typeAnnotation ? slice(source, pattern.typeAnnotation) : ''}`
}

/** A class without its private members and the bodies of its methods. */
function classCode(source: Source, declaration: Class): string {
  const members = declaration.body.body.flatMap((member) => {
    if (member.type === 'StaticBlock') return []
    if ('key' in member && member.key.type === 'PrivateIdentifier') return []
    const end = member.type === 'MethodDefinition' ? (member.value.body?.start ?? member.end) : member.end
    return source.text.slice(source.startWithComment(member.start), end).trim()
  })
  const head = source.text.slice(declaration.start, declaration.body.start).trim()
  return `${head} {\n  ${members.join('\n  ')}\n}`
}

function slice({ text }: Source, { start, end }: Pick<Node, 'start' | 'end'>): string {
  return text.slice(start, end)
}

function dedented(code: string): string {
  return code.replaceAll(/^ {2}/gm, '')
}

/** The names of types in code, each once. */
export function typesIn(code: string): readonly string[] {
  const withoutComments = code.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '').replaceAll(/'[^']*'/g, '')
  return [...new Set(withoutComments.match(/\b[A-Z]\w+\b/g) ?? [])]
}
