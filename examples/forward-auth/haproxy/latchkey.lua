-- Asks Latchkey, by a policy, whether a request may pass. The answer is in variables of the transaction.

core.register_action("latchkey", { "http-req" }, function(txn, policy)
  local headers, sent = txn.http:req_get_headers(), { ["x-forwarded-for"] = { txn.f:src() } }
  for _, name in ipairs({ "x-api-key", "authorization" }) do
    for _, line in pairs(headers[name] or {}) do
      sent[name] = sent[name] or {}
      table.insert(sent[name], line)
    end
  end
  local url = "http://127.0.0.1:8081/v1/forward-auth/" .. policy
  local answer = core.httpclient():get({ url = url, headers = sent, timeout = 2000 }) or {}
  local function header(name) return answer.headers and answer.headers[name] and answer.headers[name][0] or "" end
  txn:set_var("txn.latchkey_status", answer.status or 0)
  txn:set_var("txn.latchkey_problem", answer.body or "")
  for _, name in ipairs({ "retry-after", "ratelimit", "ratelimit-policy", "x-latchkey-identity", "x-latchkey-key-id", "x-latchkey-owner" }) do
    txn:set_var("txn." .. name:gsub("-", "_"), header(name))
  end
end, 1)
