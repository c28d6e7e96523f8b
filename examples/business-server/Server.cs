// What a business server does with Hongyan, in one file and without a package, for .NET 6 and later, and for Mono:
//
//   Server                     serves POST /login, which signs users in, and POST /callback, which Hongyan calls
//   Server notice USER TEXT    sends a notice
//
// What it needs to know is in the environment; README.md lists it. What it keeps is in memory: with more than one process, or
// to remember across a restart, keep OpenIDs and Notified in your database.

using System;
using System.Collections.Concurrent;
using System.Collections.Generic;
using System.IO;
using System.IO.Compression;
using System.Linq;
using System.Net;
using System.Net.Http;
using System.Runtime.Serialization;
using System.Runtime.Serialization.Json;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Tasks;

static class Server
{
    const int MaxBodyBytes = 1024 * 1024;
    /// How far the clock of a callback may be from ours, in seconds.
    const long MaxSkewSeconds = 60;
    const int WeekSeconds = 7 * 24 * 3600;
    /// What a `thing` of a template takes, in characters.
    const int Thing = 20;

    static readonly long SdkAppID = long.Parse(Setting("SDK_APP_ID"));
    static readonly string UserSigKey = Setting("USERSIG_KEY");
    static readonly string RestUrl = Setting("REST_URL");
    static readonly string Administrator = Setting("ADMINISTRATOR", "administrator");
    static readonly string CallbackToken = Setting("CALLBACK_TOKEN");
    static readonly string WxUrl = Setting("WX_URL", "https://api.weixin.qq.com");
    static readonly string WxAppID = Setting("WX_APPID");
    static readonly string WxSecret = Setting("WX_SECRET");
    static readonly string WxTemplate = Setting("WX_TEMPLATE");
    static readonly string WxState = Setting("WX_STATE", "formal");

    static readonly HttpClient Http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };

    static string Setting(string name, string fallback = null)
    {
        var value = Environment.GetEnvironmentVariable(name) ?? fallback;
        return value ?? throw new InvalidOperationException("set " + name + ": README.md says what it is");
    }

    static int Main(string[] arguments)
    {
        if (arguments.Length > 0 && arguments[0] == "notice")
        {
            if (arguments.Length < 3) throw new ArgumentException("notice USER TEXT");
            var text = string.Join(" ", arguments.Skip(2));
            Console.WriteLine(SendNotice(arguments[1], text, RandomNumber()).GetAwaiter().GetResult().MsgKey);
            return 0;
        }
        Serve(Setting("PORT", "8080")).GetAwaiter().GetResult();
        return 0;
    }

    // --- UserSigs ---------------------------------------------------------------------------------------------------

    /// The signature of a user, as tls-sig-api-v2 makes it.
    static string UserSig(string userID, int seconds = WeekSeconds)
    {
        var time = Now();
        var text = $"TLS.identifier:{userID}\nTLS.sdkappid:{SdkAppID}\nTLS.time:{time}\nTLS.expire:{seconds}\n";
        string sig;
        using (var hmac = new HMACSHA256(Encoding.UTF8.GetBytes(UserSigKey)))
        {
            sig = Convert.ToBase64String(hmac.ComputeHash(Encoding.UTF8.GetBytes(text)));
        }
        var json = ToJson(new Signature { Version = "2.0", Identifier = userID, SdkAppID = SdkAppID, Time = time, Expire = seconds, Sig = sig });
        return Convert.ToBase64String(Zlib(Encoding.UTF8.GetBytes(json))).Replace('+', '*').Replace('/', '-').Replace('=', '_');
    }

    /// The zlib format: two bytes, what DeflateStream makes, and a checksum. .NET 6 has a ZLibStream for it.
    static byte[] Zlib(byte[] plain)
    {
        var output = new MemoryStream();
        output.Write(new byte[] { 0x78, 0x9c }, 0, 2);
        using (var deflate = new DeflateStream(output, CompressionMode.Compress, true))
        {
            deflate.Write(plain, 0, plain.Length);
        }
        uint a = 1, b = 0;
        foreach (var value in plain)
        {
            a = (a + value) % 65521;
            b = (b + a) % 65521;
        }
        output.Write(new[] { (byte)(b >> 8), (byte)b, (byte)(a >> 8), (byte)a }, 0, 4);
        return output.ToArray();
    }

    /// The openid of each user who has logged in. Here it is the userID as well.
    static readonly ConcurrentDictionary<string, string> OpenIDs = new ConcurrentDictionary<string, string>();

    /// What wx.login() has given the mini-program becomes a user and a signature. Nobody is signed for but who has logged in.
    static async Task<LoginReply> Login(LoginRequest request)
    {
        var query = Query(("appid", WxAppID), ("secret", WxSecret), ("js_code", request.Code ?? ""), ("grant_type", "authorization_code"));
        var session = FromJson<WxAnswer>(await Http.GetStringAsync(WxUrl + "/sns/jscode2session?" + query));
        if (string.IsNullOrEmpty(session.OpenID))
        {
            throw new HttpError(401, $"WeChat knows no such code: {session.ErrMsg} ({session.ErrCode})");
        }
        OpenIDs[session.OpenID] = session.OpenID;
        return new LoginReply { UserID = session.OpenID, UserSig = UserSig(session.OpenID) };
    }

    // --- Notices ----------------------------------------------------------------------------------------------------

    /// Calls the API, again when it says that it may be called again, and returns the answer.
    static async Task<RestAnswer> Rest<T>(string command, T body)
    {
        for (var attempt = 1; ; attempt++)
        {
            var query = Query(
                ("sdkappid", SdkAppID.ToString()), ("identifier", Administrator), ("usersig", UserSig(Administrator, 600)),
                ("random", RandomNumber().ToString()), ("contenttype", "json"));
            var response = await Http.PostAsync($"{RestUrl}/{command}?{query}", new StringContent(ToJson(body), Encoding.UTF8, "application/json"));
            var status = (int)response.StatusCode;
            if ((status == 429 || status >= 500) && attempt < 5)
            {
                await Task.Delay((int)(200 * Math.Pow(2, attempt) * (0.5 + RandomNumber() / 2.0 / uint.MaxValue)));
                continue;
            }
            var answer = FromJson<RestAnswer>(await response.Content.ReadAsStringAsync());
            if (answer.ActionStatus != "OK") throw new InvalidOperationException($"{command}: {answer.ErrorInfo} ({answer.ErrorCode})");
            return answer;
        }
    }

    /// Sends a notice. The number says which one it is: sent again with it, it is still one.
    static Task<RestAnswer> SendNotice(string to, string text, uint number)
    {
        var element = new Element { MsgType = "TIMTextElem", MsgContent = new Content { Text = text } };
        return Rest("openim/sendmsg", new Notice { SyncOtherMachine = 2, To = to, MsgRandom = number, MsgBody = new[] { element } });
    }

    // --- Callbacks --------------------------------------------------------------------------------------------------

    /// Whether a call is Hongyan's: its app, its signature, and made just now.
    static bool IsGenuine(System.Collections.Specialized.NameValueCollection query)
    {
        long seconds;
        var time = query["RequestTime"] ?? "";
        if (query["SdkAppid"] != SdkAppID.ToString() || !long.TryParse(time, out seconds)) return false;
        if (Math.Abs(Now() - seconds) > MaxSkewSeconds) return false;
        byte[] hash;
        using (var sha256 = SHA256.Create())
        {
            hash = sha256.ComputeHash(Encoding.UTF8.GetBytes(CallbackToken + time));
        }
        var expected = string.Concat(hash.Select(value => value.ToString("x2")));
        var given = query["Sign"] ?? "";
        if (given.Length != expected.Length) return false;
        // It takes as long whatever is wrong with it, so nobody finds out a signature by trying.
        var difference = 0;
        for (var i = 0; i < expected.Length; i++) difference |= expected[i] ^ given[i];
        return difference == 0;
    }

    /// The conversations of which somebody was told and has not read since, as "who from".
    static readonly ConcurrentDictionary<string, bool> Notified = new ConcurrentDictionary<string, bool>();

    /// What has happened. It may be told more than once.
    static async Task Happened(Callback call)
    {
        if (call.Command == "C2C.CallbackAfterSendMsg" && call.ToOnline == 0) await Notify(call);
        bool was;
        if (call.Command == "C2C.CallbackAfterMsgReport") Notified.TryRemove(call.Report + " " + call.Peer, out was);
    }

    /// One notification for each conversation until it is read, however many messages come.
    static async Task Notify(Callback call)
    {
        string openID;
        var conversation = call.To + " " + call.From;
        if (!OpenIDs.TryGetValue(call.To, out openID) || !Notified.TryAdd(conversation, true)) return;
        var element = call.MsgBody[0];
        var text = element.MsgType == "TIMTextElem" ? element.MsgContent.Text : "发来一条新消息";
        var mayComeLater = true;
        try
        {
            mayComeLater = !await SubscriptionMessage(openID, call.From, text);
        }
        finally
        {
            // It may succeed with the next message.
            bool was;
            if (mayComeLater) Notified.TryRemove(conversation, out was);
        }
    }

    // --- WeChat -----------------------------------------------------------------------------------------------------

    static string token = "";
    static long tokenUntil;

    /// The access token: another one of the same kind does not end it.
    static async Task<string> AccessToken(bool force)
    {
        if (!force && Now() < tokenUntil) return token;
        var body = ToJson(new WxTokenRequest { GrantType = "client_credential", AppID = WxAppID, Secret = WxSecret, ForceRefresh = force });
        var answer = FromJson<WxAnswer>(await Post(WxUrl + "/cgi-bin/stable_token", body));
        if (string.IsNullOrEmpty(answer.AccessToken)) throw new InvalidOperationException($"no access token: {answer.ErrMsg} ({answer.ErrCode})");
        token = answer.AccessToken;
        tokenUntil = Now() + answer.ExpiresIn - 300;
        return token;
    }

    /// Sends the template. Its fields are those of your own template: here thing1, who has written, and thing2, what.
    /// Returns false when it may be tried with the next message, and true when that would change nothing.
    static async Task<bool> SubscriptionMessage(string openID, string from, string text, bool isSecond = false)
    {
        var body = ToJson(new WxMessage
        {
            ToUser = openID,
            TemplateID = WxTemplate,
            Page = "pages/chat/chat?conversationID=C2C" + from,
            State = WxState,
            Data = new WxData { Thing1 = new WxThing { Value = Shortened(from) }, Thing2 = new WxThing { Value = Shortened(text) } },
        });
        var url = WxUrl + "/cgi-bin/message/subscribe/send?access_token=" + Uri.EscapeDataString(await AccessToken(isSecond));
        var answer = FromJson<WxAnswer>(await Post(url, body));
        switch (answer.ErrCode)
        {
            case 0:
                return true;
            case 43101: // One consent is one message, and this user has none left.
                return true;
            case 40001: // The token has ended before its time.
            case 42001:
                if (!isSecond) return await SubscriptionMessage(openID, from, text, true);
                break;
        }
        // 40003: not a user of this mini-program. 40037, 47003, 41030: the template, its fields or the page are wrong.
        Console.Error.WriteLine($"WeChat takes no message: {answer.ErrMsg} ({answer.ErrCode})");
        return new[] { 40003, 40037, 47003, 41030 }.Contains(answer.ErrCode);
    }

    /// As many characters as a field takes, and no half of one.
    static string Shortened(string text)
    {
        var starts = System.Globalization.StringInfo.ParseCombiningCharacters(text);
        return starts.Length > Thing ? text.Substring(0, starts[Thing - 1]) + "…" : text;
    }

    // --- HTTP -------------------------------------------------------------------------------------------------------

    static async Task Serve(string port)
    {
        var listener = new HttpListener();
        listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        listener.Start();
        Console.WriteLine($"http://127.0.0.1:{port}");
        while (true)
        {
            var context = await listener.GetContextAsync();
            // Nobody waits for the one before.
            var _ = Task.Run(() => Handle(context));
        }
    }

    static async Task Handle(HttpListenerContext context)
    {
        var (status, answer) = (200, "");
        try
        {
            answer = await Answer(context.Request);
        }
        catch (HttpError error)
        {
            (status, answer) = (error.Status, ToJson(new Failure { Error = error.Message }));
        }
        catch (Exception error)
        {
            Console.Error.WriteLine(error.Message);
            (status, answer) = (500, ToJson(new Failure { Error = "it failed" }));
        }
        try
        {
            var bytes = Encoding.UTF8.GetBytes(answer);
            context.Response.StatusCode = status;
            context.Response.ContentType = "application/json";
            await context.Response.OutputStream.WriteAsync(bytes, 0, bytes.Length);
            context.Response.Close();
        }
        catch (Exception error)
        {
            Console.Error.WriteLine("an answer was not heard: " + error.Message);
        }
    }

    static async Task<string> Answer(HttpListenerRequest request)
    {
        if (request.HttpMethod == "POST" && request.Url.AbsolutePath == "/login")
        {
            return ToJson(await Login(await Body<LoginRequest>(request)));
        }
        if (request.HttpMethod == "POST" && request.Url.AbsolutePath == "/callback")
        {
            if (!IsGenuine(request.QueryString)) throw new HttpError(403, "this is not a callback of ours");
            var call = await Body<Callback>(request);
            // An answer in time is all that is wanted. What cannot be done about it is ours to know.
            var _ = Task.Run(async () =>
            {
                try { await Happened(call); }
                catch (Exception error) { Console.Error.WriteLine(error.Message); }
            });
            return ToJson(new RestAnswer { ActionStatus = "OK", ErrorInfo = "" });
        }
        throw new HttpError(404, "POST /login or POST /callback");
    }

    static async Task<T> Body<T>(HttpListenerRequest request)
    {
        var bytes = new MemoryStream();
        var buffer = new byte[8192];
        int count;
        while ((count = await request.InputStream.ReadAsync(buffer, 0, buffer.Length)) > 0)
        {
            if (bytes.Length + count > MaxBodyBytes) throw new HttpError(413, "the body is too large");
            bytes.Write(buffer, 0, count);
        }
        try { return FromJson<T>(Encoding.UTF8.GetString(bytes.ToArray())); }
        catch (SerializationException) { throw new HttpError(400, "the body is no JSON"); }
    }

    static async Task<string> Post(string url, string json)
    {
        var response = await Http.PostAsync(url, new StringContent(json, Encoding.UTF8, "application/json"));
        return await response.Content.ReadAsStringAsync();
    }

    static string Query(params (string name, string value)[] pairs) =>
        string.Join("&", pairs.Select(pair => pair.name + "=" + Uri.EscapeDataString(pair.value)));

    static long Now() => DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    static uint RandomNumber()
    {
        var bytes = new byte[4];
        using (var random = RandomNumberGenerator.Create()) random.GetBytes(bytes);
        return BitConverter.ToUInt32(bytes, 0);
    }

    static string ToJson<T>(T value)
    {
        var stream = new MemoryStream();
        new DataContractJsonSerializer(typeof(T)).WriteObject(stream, value);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    static T FromJson<T>(string json) =>
        (T)new DataContractJsonSerializer(typeof(T)).ReadObject(new MemoryStream(Encoding.UTF8.GetBytes(json)));

    class HttpError : Exception
    {
        public int Status { get; }
        public HttpError(int status, string message) : base(message) { Status = status; }
    }
}

[DataContract] class Signature
{
    [DataMember(Name = "TLS.ver")] public string Version;
    [DataMember(Name = "TLS.identifier")] public string Identifier;
    [DataMember(Name = "TLS.sdkappid")] public long SdkAppID;
    [DataMember(Name = "TLS.time")] public long Time;
    [DataMember(Name = "TLS.expire")] public int Expire;
    [DataMember(Name = "TLS.sig")] public string Sig;
}

[DataContract] class LoginRequest { [DataMember(Name = "code")] public string Code; }

[DataContract] class LoginReply
{
    [DataMember(Name = "userID")] public string UserID;
    [DataMember(Name = "userSig")] public string UserSig;
}

[DataContract] class Failure { [DataMember(Name = "error")] public string Error; }

[DataContract] class Content { [DataMember(EmitDefaultValue = false)] public string Text; }

[DataContract] class Element
{
    [DataMember] public string MsgType;
    [DataMember] public Content MsgContent;
}

[DataContract] class Notice
{
    [DataMember] public int SyncOtherMachine;
    [DataMember(Name = "To_Account")] public string To;
    [DataMember] public uint MsgRandom;
    [DataMember] public Element[] MsgBody;
}

[DataContract] class RestAnswer
{
    [DataMember] public string ActionStatus;
    [DataMember] public int ErrorCode;
    [DataMember] public string ErrorInfo;
    [DataMember(EmitDefaultValue = false)] public string MsgKey;
}

[DataContract] class Callback
{
    [DataMember(Name = "CallbackCommand")] public string Command;
    [DataMember(Name = "From_Account")] public string From;
    [DataMember(Name = "To_Account")] public string To;
    [DataMember(Name = "Report_Account")] public string Report;
    [DataMember(Name = "Peer_Account")] public string Peer;
    [DataMember(Name = "To_Online")] public int ToOnline = 1;
    [DataMember] public Element[] MsgBody;

    // Before anything is read, for what the body does not have.
    [OnDeserializing] void Online(StreamingContext context) { ToOnline = 1; }
}

[DataContract] class WxAnswer
{
    [DataMember(Name = "errcode")] public int ErrCode;
    [DataMember(Name = "errmsg")] public string ErrMsg;
    [DataMember(Name = "openid")] public string OpenID;
    [DataMember(Name = "access_token")] public string AccessToken;
    [DataMember(Name = "expires_in")] public long ExpiresIn;
}

[DataContract] class WxTokenRequest
{
    [DataMember(Name = "grant_type")] public string GrantType;
    [DataMember(Name = "appid")] public string AppID;
    [DataMember(Name = "secret")] public string Secret;
    [DataMember(Name = "force_refresh")] public bool ForceRefresh;
}

[DataContract] class WxMessage
{
    [DataMember(Name = "touser")] public string ToUser;
    [DataMember(Name = "template_id")] public string TemplateID;
    [DataMember(Name = "page")] public string Page;
    [DataMember(Name = "miniprogram_state")] public string State;
    [DataMember(Name = "data")] public WxData Data;
}

[DataContract] class WxData
{
    [DataMember(Name = "thing1")] public WxThing Thing1;
    [DataMember(Name = "thing2")] public WxThing Thing2;
}

[DataContract] class WxThing { [DataMember(Name = "value")] public string Value; }
