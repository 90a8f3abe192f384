// An example in a doc comment as a program: with the imports that its reader adds, in a world that has what it names.

import { join } from 'node:path'
import type { Example } from '../../check/reference/examples.ts'
import type { Page } from '../../check/reference/model.ts'
import { homeOf } from '../../check/reference/model.ts'
import type { World } from './world.ts'

/** What examples take from elsewhere, by the name that they use. */
const imports: Readonly<Record<string, string>> = {
  Hono: `import { Hono } from 'hono'`,
  express: `import express from 'express'`,
  INestApplicationContext: `import type { INestApplicationContext } from '@nestjs/common'`,
  Fastify: `import Fastify from 'fastify'`,
  createClient: `import { createClient } from '@redis/client'`,
  pg: `import pg from 'pg'`,
  swagger: `import swagger from '@fastify/swagger'`,
  swaggerUi: `import swaggerUi from '@fastify/swagger-ui'`,
  assert: `import assert from 'node:assert/strict'`,
}

/** The names of a world; one that is missing, or is none, does not compile. */
const worldly: Readonly<Record<keyof Omit<World, 'end'>, true>> = {
  scopes: true,
  store: true,
  clock: true,
  keyring: true,
  key: true,
  secret: true,
  app: true,
  plugin: true,
  requires: true,
  open: true,
  openly: true,
  keyOf: true,
  headersFor: true,
  secretsIn: true,
}

/** A line whose comment says what the value before it is: `weaknessOf('hunter2') // 'is shorter than 16 characters'`. */
const claim =
  /^(?:console\.log\((?<printed>.+)\)|(?<value>[^\s/].*)) \/\/ (?<literal>'[^']*'|[\d_]+|true|false|\[.*\])$/

/** A module that exports one function, `example`, which takes a world. */
export function programOf(
  { code }: Example,
  pages: readonly Page[],
): { readonly text: string; readonly claims: number } {
  const words = new Set(code.match(/\b[A-Za-z]\w*\b/g) ?? [])
  const ours = pages.flatMap((page) =>
    page.exports
      .filter((shown) => words.has(shown.name) && homeOf(pages, shown) === page)
      .filter(({ name }) => !new RegExp(`\\b(?:const|let) ${name}\\b`).test(code))
      .map(({ name, kind }) => `import ${isValue(kind) ? '' : 'type '}{ ${name} } from '${page.specifier}'`),
  )
  const others = Object.entries(imports).flatMap(([name, statement]) => (words.has(name) ? [statement] : []))
  const found = Object.keys(worldly).filter((name) => words.has(name))
  let claims = 0
  const lines = code.split('\n').map((line) => {
    const { printed, value, literal } = claim.exec(line)?.groups ?? {}
    if (literal === undefined) return line
    claims++
    return `claimed(${printed ?? value}, ${literal})`
  })
  const text = [
    ...ours,
    ...others,
    `import { deepStrictEqual as claimed } from 'node:assert/strict'`,
    `import type { World } from '${join(import.meta.dirname, 'world.ts')}'`,
    `export async function example({ ${found.join(', ')} }: World): Promise<void> {`,
    // A block of its own, so that an example may declare what it also could have found.
    `{\n${lines.join('\n')}\n}`,
    '}\n',
  ].join('\n')
  return { text, claims }
}

function isValue(kind: string): boolean {
  return kind === 'function' || kind === 'constant' || kind === 'class'
}
