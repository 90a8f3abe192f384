interface Response {
  headers?: object
  links?: object
  readonly content?: Readonly<Record<string, { schema?: object }>>
}

/** As much of an operation as is finished here. */
export interface Operation {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  requestBody?: { required?: boolean }
  readonly responses: Readonly<Record<string, Response>>
}

/** All operations of a document. */
export function operationsOf({ paths = {} }: { readonly paths?: object | undefined }): readonly Operation[] {
  return Object.values(paths).flatMap((path) => Object.values(path as Readonly<Record<string, Operation>>))
}
