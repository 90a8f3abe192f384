import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '../../../../test/free-port.ts'
import { noFastapi } from '../../../../test/machine.ts'
import { beforeRemoval } from '../../../../test/temporary-folder.ts'
import { nginx } from './nginx.ts'
import { sendRaw } from './raw.ts'
import { listening, openStand } from './stand.ts'

const example = join(import.meta.dirname, '../../../../examples/forward-auth/fastapi')

/** The service of the README, and two routes that ask for a scope, one in each way. */
const application = `
from os import environ
from latchkey_fastapi import Key, from_identity, from_verify, refusals, requires_with
from service import app

identified = requires_with(from_identity(environ["LATCHKEY"] + "/.well-known/jwks.json", "process"))
verified = requires_with(from_verify(environ["LATCHKEY"], environ["ADMIN"]))

@app.get("/identified", responses=refusals)
def by_identity(key: Key = identified("process:run")):
    return key

@app.get("/identified/orders", dependencies=[identified("orders:read")], responses=refusals)
def by_other_identity():
    return "orders"

@app.get("/verified", responses=refusals)
def by_verdict(key: Key = verified("process:run")):
    return key
`

test('FastAPI: a service without a check, and routes that ask for a scope', { skip: noFastapi() }, async (context) => {
  const port = await freePort()
  const stand = await openStand({ ...nginx, service: port })
  const { keyring, app, folder } = stand
  const { secret: admin } = await keyring.issue({
    name: 'Service',
    owner: 'operator',
    environment: 'admin',
    scopes: ['keys:verify'],
    delegation: { owner: null, environments: ['live', 'test'], scopes: ['*'] },
  })
  const latchkey = await app.listen({ host: '127.0.0.1', port: 0 })
  writeFileSync(join(folder, 'application.py'), application)
  const uvicorn = spawn(
    '/usr/bin/python3',
    ['-m', 'uvicorn', 'application:app', '--port', String(port), '--log-level', 'warning'],
    {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, PYTHONPATH: example, PYTHONDONTWRITEBYTECODE: '1', LATCHKEY: latchkey, ADMIN: admin },
    },
  )
  beforeRemoval(folder, () => void uvicorn.kill('SIGKILL'))
  await listening(port, () => assert.equal(uvicorn.exitCode, null))
  const { key, secret } = await stand.issue()

  await context.test('the service of the README is called with a key only, and its own answers pass', async () => {
    const body = '{"status":"SUCCESS"}'
    const headers = [
      ['Content-Type', 'application/json'],
      ['Content-Length', String(body.length)],
    ] as const
    const line = 'POST /process HTTP/1.1'
    const done = await sendRaw(stand.port, { line, headers: [...headers, ['X-API-Key', secret]], body })
    assert.equal(done.status, 200)
    assert.equal((JSON.parse(done.body) as { status: string }).status, 'SUCCESS')
    const refused = await sendRaw(stand.port, { line, headers, body })
    assert.deepEqual([refused.status, (JSON.parse(refused.body) as { code: string }).code], [401, 'invalid_key'])
  })

  await context.test('a route asks the identity for a scope, and takes none that the proxy has not given', async () => {
    const get = async (
      path: string,
      headers: readonly (readonly [string, string])[],
      to = stand.port,
    ): Promise<readonly unknown[]> => {
      const { status, body } = await sendRaw(to, { line: `GET ${path} HTTP/1.1`, headers })
      return [status, JSON.parse(body)]
    }
    const own = { id: key.id, owner: 'acme', environment: 'live', scopes: ['process:run'] }
    const evil = [
      ['X-Latchkey-Identity', 'EVIL'],
      ['X-API-Key', secret],
    ] as const
    assert.deepEqual(await get('/identified', evil), [200, own])
    assert.equal((await get('/identified/orders', evil))[0], 403)
    // Asked directly.
    const asked = await stand.forProxies?.inject({ url: '/v1/forward-auth/process', headers: { 'x-api-key': secret } })
    const identity = String(asked?.headers['x-latchkey-identity'])
    const [head = '', claims = ''] = identity.split('.')
    const none = Buffer.from('{"alg":"none","typ":"latchkey-identity+jwt"}').toString('base64url')
    const line = (value: string): readonly [string, string] => ['X-Latchkey-Identity', value]
    assert.deepEqual(await get('/identified', [line(identity)], port), [200, own])
    for (const forged of ['EVIL', '', `${none}.${claims}.`, `${head}.${claims}.${'A'.repeat(86)}`]) {
      assert.equal((await get('/identified', [line(forged)], port))[0], 401, forged)
    }
    assert.equal((await get('/identified', [], port))[0], 401)
    assert.equal((await get('/identified', [['X_Latchkey_Identity', identity]], port))[0], 401)
    assert.equal((await get('/identified', [line(identity), line(identity)], port))[0], 400)
  })

  await context.test('a route asks the server about the key, and repeats its refusals', async () => {
    const get = async (headers: readonly (readonly [string, string])[]): ReturnType<typeof sendRaw> =>
      sendRaw(port, { line: 'GET /verified HTTP/1.1', headers })
    assert.equal((await get([['X-API-Key', secret]])).status, 200)
    const none = await get([])
    assert.deepEqual([none.status, none.headers['www-authenticate']], [401, ['X-API-Key']])
    assert.equal(
      (
        await get([
          ['X-API-Key', secret],
          ['X-API-Key', secret],
        ])
      ).status,
      400,
    )
    const other = await stand.issue({ scopes: ['orders:read'] })
    assert.equal((await get([['X-API-Key', other.secret]])).status, 403)
    const limited = await stand.issue({ limits: [{ name: 'few', limit: 1, window: 60 }] })
    assert.equal((await get([['X-API-Key', limited.secret]])).status, 200)
    const over = await get([['X-API-Key', limited.secret]])
    assert.equal(over.status, 429)
    assert.match(over.headers['retry-after']?.[0] ?? '', /^\d+$/)
  })

  await context.test('the document of the service has the lock and the refusals', async () => {
    const { body } = await sendRaw(port, { line: 'GET /openapi.json HTTP/1.1' })
    const { paths } = JSON.parse(body) as {
      paths: Record<string, Record<string, { security?: unknown; responses: object }>>
    }
    const route = paths['/identified']?.['get']
    assert.deepEqual(route?.security, [{ APIKeyHeader: [] }])
    for (const status of ['400', '401', '403', '429', '503']) assert.ok(status in (route?.responses ?? {}), status)
  })
})

/** Calls with one identity: what is answered when, in seconds, and what the address of the keys answers then. */
const withoutKeys = `
import json
from http.client import BadStatusLine
from io import BytesIO
from time import time
import jwt
import latchkey_fastapi
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import HTTPException
from starlette.requests import Request

key = Ed25519PrivateKey.generate()
public = json.loads(jwt.algorithms.OKPAlgorithm.to_jwk(key.public_key()))
good = json.dumps({"keys": [{**public, "kid": "k", "alg": "EdDSA", "use": "sig"}]}).encode()
at, answer = 0, None

def urlopen(*_, **__):
    if isinstance(answer, Exception):
        raise answer
    return BytesIO(answer)

latchkey_fastapi.monotonic, latchkey_fastapi.urlopen = lambda: at, urlopen
check = latchkey_fastapi.from_identity("http://keys", "process")
claims = {"iss": "latchkey", "aud": "process", "sub": "id", "owner": "acme", "environment": "live", "scopes": ["a:b"]}
identity = jwt.encode({**claims, "iat": int(time()), "exp": int(time()) + 30}, key, "EdDSA",
                      {"kid": "k", "typ": "latchkey-identity+jwt"})

def status():
    try:
        check(Request({"type": "http", "headers": [(b"x-latchkey-identity", identity.encode())]}), ["a:b"])
        return 200
    except HTTPException as error:
        return error.status_code

seen = []
for at, answer in [(0, OSError()), (1, good), (6, b"{"), (12, b'{"keys":[]}'), (18, BadStatusLine("")), (24, good),
                   (400, OSError()), (900, b"{"), (925, b"{"), (931, good)]:
    seen.append([at, status()])
print(json.dumps(seen))
`

test(
  'FastAPI: while the keys cannot be read, known ones hold for a quarter of an hour, and then it is 503',
  { skip: noFastapi() },
  () => {
    const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', withoutKeys], {
      encoding: 'utf8',
      env: { ...process.env, PYTHONPATH: example, PYTHONDONTWRITEBYTECODE: '1' },
    })
    const expected = [
      [0, 503],
      [1, 503],
      [6, 503],
      [12, 503],
      [18, 503],
      [24, 200],
      [400, 200],
      [900, 200],
      [925, 503],
      [931, 200],
    ]
    assert.deepEqual(JSON.parse(stdout || '[]'), expected, stderr)
  },
)
