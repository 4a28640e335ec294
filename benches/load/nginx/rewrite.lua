-- The rewrite that Evenkeel does, written by hand: the body is decoded, its model replaced by the next one in turn, and
-- encoded again; the vendor's credential takes the place of the client's. No key is checked, nothing is suspended, and
-- nothing is counted or logged.
local cjson = require "cjson.safe"

local models = { "gpt-4o", "gpt-4o-mini" }
local turn = 0

return function()
    ngx.req.read_body()
    local body = ngx.req.get_body_data()
    local asked = body and cjson.decode(body)
    if type(asked) ~= "table" then
        return ngx.exit(ngx.HTTP_BAD_REQUEST)
    end
    turn = turn % #models + 1
    asked.model = models[turn]
    ngx.req.set_body_data(cjson.encode(asked))
    ngx.req.set_header("Authorization", "Bearer the-vendors-credential")
end
