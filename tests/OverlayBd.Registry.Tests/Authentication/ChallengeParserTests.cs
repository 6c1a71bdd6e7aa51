// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Registry.Authentication;

namespace OverlayBd.Registry.Tests.Authentication;

public sealed class ChallengeParserTests
{
    [Theory]
    [InlineData("Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull,push\"", "https://a/t", "s", "repository:x:pull,push")]
    [InlineData("Bearer realm=\"https://a/t\", service=\"s\", scope=\"x\"", "https://a/t", "s", "x")]
    [InlineData("bearer scope=\"x\" , service = \"s\" ,realm = \"https://a/t\"", "https://a/t", "s", "x")]
    [InlineData("BEARER REALM=\"https://a/t\"", "https://a/t", null, null)]
    [InlineData("Bearer realm=https://a/t,service=s", "https://a/t", "s", null)]
    [InlineData("Bearer realm=\"https://a/t?x=1,2\",error=\"invalid_token\"", "https://a/t?x=1,2", null, null)]
    [InlineData("Bearer realm=\"https://a/\\\"t\\\"\"", "https://a/\"t\"", null, null)]
    [InlineData(",, Bearer realm=\"r\",,service=\"s\",", "r", "s", null)]
    [InlineData("Bearer  realm=\"r\"", "r", null, null)]
    [InlineData("Bearer realm=\"unclosed", "unclosed", null, null)]
    [InlineData("Bearer realm=\"r\",realm=\"second\"", "r", null, null)]
    [InlineData("Bearer service=\"\",realm=\"r\"", "r", "", null)]
    public void Parse_OfABearerChallenge_FindsItsParameters(string header, string realm, string? service, string? scope)
    {
        Challenge challenge = Assert.Single(ChallengeParser.Parse([header]));
        Assert.True(challenge.IsBearer);
        Assert.Equal(realm, challenge.Realm);
        Assert.Equal(service, challenge.Service);
        Assert.Equal(scope, challenge.Scope);
    }

    [Theory]
    [InlineData("Basic realm=\"a, b\", Bearer realm=\"r\",service=\"s\"")]
    [InlineData("Negotiate, Basic realm=\"x\", Bearer realm=\"r\",service=\"s\"")]
    [InlineData("Negotiate YIIGhgYGKwYBBQUC==, Basic realm=\"x\", Bearer realm=\"r\",service=\"s\"")]
    [InlineData("Digest qop=\"auth,auth-int\",nonce=abc, Basic, Bearer service=\"s\", realm=\"r\"")]
    public void Parse_OfSeveralChallenges_KeepsThemApart(string header)
    {
        IReadOnlyList<Challenge> challenges = ChallengeParser.Parse([header]);
        Assert.Contains(challenges, challenge => challenge.IsBasic);
        Challenge bearer = Assert.Single(challenges, challenge => challenge.IsBearer);
        Assert.Equal("r", bearer.Realm);
        Assert.Equal("s", bearer.Service);
    }

    [Fact]
    public void Parse_OfSeveralHeaders_TakesThemInOrder()
    {
        IReadOnlyList<Challenge> challenges = ChallengeParser.Parse(["Basic realm=\"x\"", "Bearer realm=\"r\""]);
        Assert.Equal(["Basic", "Bearer"], challenges.Select(challenge => challenge.Scheme));
    }

    [Theory]
    [InlineData("")]
    [InlineData(",,,")]
    [InlineData("\"quoted\"")]
    [InlineData("=\"value\"")]
    [InlineData("€uro realm=\"x")]
    public void Parse_OfNonsense_Ends(string header) => Assert.DoesNotContain(ChallengeParser.Parse([header]), challenge => challenge.IsBearer);

    [Fact]
    public void Parse_OfRandomText_Ends()
    {
        var random = new Random(3);
        const string Alphabet = "Bearer realm=\"\\, \tab=,;:/Basic\"\"==";
        for (int i = 0; i < 20_000; i++)
        {
            char[] text = new char[random.Next(60)];
            for (int n = 0; n < text.Length; n++)
            {
                text[n] = Alphabet[random.Next(Alphabet.Length)];
            }

            ChallengeParser.Parse([new string(text)]);
        }
    }
}
