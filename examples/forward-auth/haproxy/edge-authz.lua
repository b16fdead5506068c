-- Asks edge-authz about a request and applies the answer.
--
-- edge-authz answers an allowed request with 200 and `X-Edge-Authz: allow`, and marks the
-- replies for clients with `X-Edge-Authz: reply`. Anything else is not from edge-authz, and the
-- request is refused.
-- Longer than a request may wait for keys, in milliseconds.
local TIMEOUT = 15000

-- Fields of the connection or of the body, which is not sent, and those that are set below.
local NOT_SENT = {
    ["connection"] = true, ["content-length"] = true, ["expect"] = true, ["host"] = true,
    ["keep-alive"] = true, ["proxy-connection"] = true, ["te"] = true, ["trailer"] = true,
    ["transfer-encoding"] = true, ["upgrade"] = true,
}

-- Fields of an answer that HAProxy makes itself.
local NOT_COPIED = {
    ["connection"] = true, ["content-length"] = true, ["date"] = true, ["keep-alive"] = true,
    ["transfer-encoding"] = true,
}

-- The values of a field, from HAProxy's list, which begins at 0.
local function values(list)
    local all, index = {}, 0
    while list and list[index] do
        all[#all + 1] = list[index]
        index = index + 1
    end
    return all
end

-- The only value of a field; nil if there is none, or several.
local function only(headers, name)
    local all = values(headers[name])
    if #all == 1 then return all[1] end
end

-- The names in a list that is separated by commas.
local function names(text)
    return (text or ""):gmatch("[^,%s]+")
end

-- The answer of edge-authz to a question about this request; nil if it does not answer.
local function ask(txn, address, path)
    local headers = {}
    for name, list in pairs(txn.http:req_get_headers()) do
        if not NOT_SENT[name] then headers[name] = values(list) end
    end
    local host = only(txn.http:req_get_headers(), "host")
    local method, uri = txn.f:method(), txn.f:pathq()
    if not (method and uri) then return nil end
    headers["host"] = { address }
    headers["x-original-method"] = { method }
    headers["x-original-uri"] = { uri }
    headers["x-original-host"] = { host }
    local answer = core.httpclient():get {
        url = "http://" .. address .. path, headers = headers, timeout = TIMEOUT,
    }
    -- Without its mark, the answer is not from edge-authz.
    if answer and answer.headers and only(answer.headers, "x-edge-authz") then return answer end
end

-- Applies the changes of an allowed request.
local function apply(txn, headers)
    for name in names(only(headers, "x-edge-authz-remove")) do
        txn.http:req_del_header(name)
    end
    for name in names(only(headers, "x-edge-authz-set")) do
        local value = assert(only(headers, name), name)
        txn.http:req_set_header(name, value)
    end
    local uri = only(headers, "x-edge-authz-uri")
    if uri then txn.http:req_set_uri(uri) end
    local cors = {}
    for name, list in pairs(headers) do
        if name == "vary" or name == "dpop-nonce" or name:find("access-control-", 1, true) == 1 then
            cors[name] = values(list)
        end
    end
    txn:set_priv(cors)
end

-- Answers the client. This ends the request.
local function reply(txn, answer)
    local made = txn:reply { status = answer.status, body = answer.body }
    for name, list in pairs(answer.headers) do
        if not NOT_COPIED[name] and name:find("x-edge-authz", 1, true) ~= 1 then
            for _, value in ipairs(values(list)) do made:add_header(name, value) end
        end
    end
    txn:done(made)
end

core.register_action("edge-authz", { "http-req" }, function(txn, address)
    local answer = ask(txn, address, "/authorize")
    if answer and only(answer.headers, "x-edge-authz-reply") then
        -- The reply has a status that proxies would take for permission, as that to a preflight.
        answer = ask(txn, address, "/reply")
    elseif answer and answer.status == 200 and only(answer.headers, "x-edge-authz") == "allow" then
        apply(txn, answer.headers)
        txn:set_var("txn.edge_authz", "allow")
        return
    end
    if answer and only(answer.headers, "x-edge-authz") == "reply" then reply(txn, answer) end
end, 1)

core.register_action("edge-authz-cors", { "http-res" }, function(txn)
    for name in pairs(txn.http:res_get_headers()) do
        local is_cors = name:find("access-control-", 1, true) == 1
        if is_cors or name == "dpop-nonce" then txn.http:res_del_header(name) end
    end
    for name, all in pairs(txn:get_priv() or {}) do
        for _, value in ipairs(all) do txn.http:res_add_header(name, value) end
    end
end, 0)
