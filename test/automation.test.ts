// What runs without us: the workflows, the forms and the packages' metadata agree with what they are about.

import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { parseDocument } from 'yaml'
import { promisedNodes } from '../check/nodes.ts'
import { releaseFaults } from '../check/release.ts'

const root = dirname(import.meta.dirname)

const read = (path: string): string => readFileSync(join(root, path), 'utf8')

/** A file of YAML, which has neither faults nor members that stand twice. */
function yamlOf<Shape>(path: string): Shape {
  const document = parseDocument(read(path), { uniqueKeys: true })
  assert.deepEqual([...document.errors, ...document.warnings], [], path)
  return document.toJS() as Shape
}

interface Step {
  readonly uses?: string
  readonly run?: string
  readonly with?: Readonly<Record<string, unknown>>
}

interface Job {
  readonly uses?: string
  readonly needs?: string
  readonly environment?: string
  readonly permissions?: Readonly<Record<string, string>>
  readonly container?: string
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> }
  readonly steps?: readonly Step[]
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions: Readonly<Record<string, string>>
  readonly jobs: Readonly<Record<string, Job>>
}

interface Package {
  readonly scripts: Readonly<Record<string, string>>
  readonly keywords?: readonly string[]
  readonly homepage?: string
  readonly bugs?: string
  readonly repository: { readonly type: string; readonly url: string; readonly directory?: string }
  readonly publishConfig?: unknown
}

const packageOf = (folder: string): Package => JSON.parse(read(join(folder, 'package.json'))) as Package

const workflows = new Map(
  globSync('.github/workflows/*', { cwd: root }).map((path) => [path, yamlOf<Workflow>(path)] as const),
)
const check = workflows.get('.github/workflows/check.yml')
const release = workflows.get('.github/workflows/release.yml')
const stepsOf = ({ jobs }: Workflow): readonly Step[] => Object.values(jobs).flatMap(({ steps = [] }) => steps)

test('a change is checked by .ci/run on the oldest and the newest Node that are promised, and on no other', () => {
  assert.ok(check !== undefined)
  assert.deepEqual(Object.keys(check.on), ['push', 'pull_request', 'workflow_call', 'workflow_dispatch'])
  const { strategy, container, steps } = check.jobs['check'] ?? {}
  assert.deepEqual(strategy?.matrix, { node: promisedNodes })
  assert.equal(container, 'node:${{ matrix.node }}-trixie')
  assert.equal(steps?.at(-1)?.run, '.ci/run')
})

test('a workflow may do nothing but read, and every action that it uses is named by a commit', () => {
  assert.ok(workflows.size > 1)
  for (const [path, workflow] of workflows) {
    assert.deepEqual(workflow.permissions, { contents: 'read' }, path)
    for (const { uses, with: given } of stepsOf(workflow)) {
      if (uses === undefined) continue
      assert.match(uses, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/, path)
      if (uses.startsWith('actions/checkout@')) assert.equal(given?.['persist-credentials'], false, path)
    }
    for (const { uses } of Object.values(workflow.jobs)) assert.ok(uses === undefined || existsSync(join(root, uses)))
    // Text from outside that stands in a script is run as one.
    for (const { run = '' } of stepsOf(workflow)) assert.doesNotMatch(run, /\$\{\{/, path)
  }
})

test('a release is published by a trusted publisher with provenance, after all that a change must pass', () => {
  assert.ok(release !== undefined)
  const { needs, permissions, environment, steps = [] } = release.jobs['publish'] ?? {}
  assert.deepEqual(release.on, { push: { tags: ['v*'] } })
  assert.deepEqual(release.jobs['check'], { uses: './.github/workflows/check.yml' })
  assert.deepEqual([needs, environment], ['check', 'release'])
  assert.deepEqual(permissions, { contents: 'read', 'id-token': 'write' })
  assert.doesNotMatch(read('.github/workflows/release.yml'), /secrets\.|NODE_AUTH_TOKEN/)
  const lines = steps.flatMap(({ run = [] }) => run)
  assert.deepEqual(lines, [
    'npm ci',
    'npm run check:release -- "$GITHUB_REF_NAME"',
    'npm publish --provenance --workspace packages/latchkey',
    'npm publish --provenance --workspace packages/latchkey-server',
  ])
  const node = steps.find(({ uses }) => uses?.startsWith('actions/setup-node@'))?.with?.['node-version']
  assert.equal(node, promisedNodes[0])
})

test('every script of npm that a workflow or .ci/run calls is there', () => {
  const { scripts } = packageOf('.')
  const lines = [...workflows.values()].flatMap(stepsOf).map(({ run = '' }) => run)
  const called = [...[read('.ci/run'), ...lines].join('\n').matchAll(/^ *npm run ([\w:]+)/gm)].map(
    ([, name = '']) => name,
  )
  assert.ok(called.length > 2)
  for (const name of called) assert.ok(Object.hasOwn(scripts, name), name)
})

test('a tag is published only if both packages, the dependency and the changelog say the same version', () => {
  const good = {
    tag: 'v1.2.3',
    library: { version: '1.2.3' },
    server: { version: '1.2.3', dependencies: { latchkey: '1.2.3' } },
    changelog: '# Changelog\n\n## 1.2.3, 2030-01-02\n',
  }
  assert.deepEqual(releaseFaults(good), [])
  for (const [change, what] of [
    [{ tag: '1.2.3' }, /^the tag must be v and a version/],
    [{ tag: 'v1.2.3; echo' }, /^the tag must be v and a version/],
    [{ library: { version: '1.2.2' } }, /^latchkey has the version 1\.2\.2, and the tag says 1\.2\.3/],
    [{ server: { ...good.server, version: '1.2.4' } }, /^latchkey-server has the version 1\.2\.4/],
    [{ server: { ...good.server, dependencies: {} } }, /^latchkey-server depends on latchkey undefined/],
    [{ changelog: '## 1.2.3, unreleased\n' }, /^CHANGELOG\.md has no section/],
    [{ changelog: '## 1.2.34, 2030-01-02\n' }, /^CHANGELOG\.md has no section/],
  ] as const) {
    const [fault = '', ...more] = releaseFaults({ ...good, ...change })
    assert.match(fault, what)
    assert.equal(more.length, 0)
  }
})

test('the forms ask for what is needed, and lead a weakness to where nobody else reads it', () => {
  const repository = addressOf(packageOf('.'))
  const config = yamlOf<{ contact_links: readonly { url: string }[] }>('.github/ISSUE_TEMPLATE/config.yml')
  assert.deepEqual(
    config.contact_links.map(({ url }) => url),
    [`${repository}/security/advisories/new`],
  )
  for (const form of ['fault', 'wish']) {
    const { body, ...rest } = yamlOf<{ body: readonly { type: string; id?: string }[] }>(
      `.github/ISSUE_TEMPLATE/${form}.yml`,
    )
    assert.deepEqual(Object.keys(rest), ['name', 'description', 'title', 'labels'], form)
    const asked = body.filter(({ type }) => type !== 'markdown').map(({ id }) => id)
    assert.equal(new Set(asked).size, asked.length)
    assert.ok(asked.length > 2 && !asked.includes(undefined), form)
  }
})

test('dependencies are looked after, those of npm and those of the workflows', () => {
  const { updates } = yamlOf<{ updates: readonly Readonly<Record<string, unknown>>[] }>('.github/dependabot.yml')
  assert.deepEqual(
    updates.map((one) => [one['package-ecosystem'], one['directory']]),
    [
      ['npm', '/'],
      ['github-actions', '/'],
    ],
  )
})

/** The page of the repository that a package names. */
function addressOf({ repository }: Package): string {
  return /^git\+(https:\/\/.*)\.git$/.exec(repository.url)?.[1] ?? assert.fail(repository.url)
}

for (const folder of ['packages/latchkey', 'packages/latchkey-server']) {
  test(`who finds ${folder} on npm finds its sources, its page and where to report a fault`, () => {
    const here = packageOf(folder)
    const { repository } = packageOf('.')
    const address = addressOf(here)
    assert.deepEqual(here.repository, { ...repository, directory: folder })
    assert.equal(here.homepage, `${address}/tree/main/${folder}#readme`)
    assert.equal(here.bugs, `${address}/issues`)
    const { keywords = [] } = here
    assert.ok(keywords.includes('api-key'))
    assert.deepEqual(keywords, keywords.toSorted())
    assert.deepEqual(here.publishConfig, { access: 'public', provenance: true })
  })
}
