#!/usr/bin/env escript
%% Erlang/OTP's ASN.1 as a second opinion: compiles the module in the directory given, then answers one line a request.
%%   check TYPE HEX     -> ok HEX TERM    decoded, and encoded again
%%   make TYPE          -> ok HEX TERM    a random value of the type
%%   event CATEGORY NAME TYPE -> ok HEX TERM    a random event report of one kind
-module(csta_peer).
-mode(compile).

-define(MODULE_NAME, 'CSTA3-Core').

main([Directory]) ->
    ok = file:set_cwd(Directory),
    ok = asn1ct:compile(atom_to_list(?MODULE_NAME), [ber, {outdir, "."}]),
    true = code:add_patha("."),
    rand:seed(exsss, {19, 9, 11}),
    io:format("ready~n"),
    loop().

loop() ->
    case io:get_line("") of
        eof -> ok;
        Line ->
            Words = string:lexemes(string:trim(Line), " "),
            io:format("~ts~n", [answer(Words)]),
            loop()
    end.

answer(Words) ->
    try handle(Words) of
        {Type, Value} ->
            {ok, Octets} = ?MODULE_NAME:encode(Type, Value),
            io_lib:format("ok ~s ~0p", [binary:encode_hex(Octets), Value])
    catch
        Class:Reason -> io_lib:format("error ~0p", [{Class, Reason}])
    end.

handle(["check", Type, Hex]) ->
    {ok, Value} = ?MODULE_NAME:decode(list_to_atom(Type), binary:decode_hex(list_to_binary(Hex))),
    {list_to_atom(Type), Value};
handle(["make", Type]) ->
    {list_to_atom(Type), random(Type)};
handle(["event", Category, Name, Type]) ->
    Specific = {list_to_atom(Category), {list_to_atom(Name), random(Type)}},
    {'CSTAEventReportArgument', {'CSTAEventReportArgument', rand:bytes(4), Specific}}.

random(Type) ->
    {ok, Value} = asn1ct:value(?MODULE_NAME, list_to_atom(Type)),
    Value.
