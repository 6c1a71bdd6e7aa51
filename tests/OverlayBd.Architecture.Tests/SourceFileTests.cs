// SPDX-License-Identifier: Apache-2.0

namespace OverlayBd.Architecture.Tests;

public sealed class SourceFileTests
{
    private const string Licence = "// SPDX-License-Identifier: Apache-2.0";
    private const int LongestFile = 500;
    private const int LongestProjectFile = 30;

    private static readonly string[] s_code = ["src", "hosts", "tests", "benchmarks"];
    private static readonly string[] s_meaninglessNames = ["Utils", "Util", "Helpers", "Helper", "Manager", "Managers", "Common", "Misc"];

    [Fact]
    public void Sources_All_StartWithOneLicenceLine() => AssertNone(
        Repository.Files("*.cs", s_code),
        file => File.ReadLines(file).Take(2).ToArray() is not [Licence, ""]
            || File.ReadLines(file).Count(line => line.StartsWith("// SPDX-", StringComparison.Ordinal)) != 1);

    [Fact]
    public void Sources_OverFiveHundredLines_SayWhyAtTheTop() => AssertNone(
        Repository.Files("*.cs", s_code),
        file => File.ReadLines(file).Count() > LongestFile
            && !File.ReadLines(file).Skip(1).Take(3).Any(line => line.StartsWith("// ", StringComparison.Ordinal)));

    [Fact]
    public void Sources_OfProducts_LeaveNothingUnfinished() => AssertNone(
        Repository.Files("*.cs", "src", "hosts"),
        file => File.ReadLines(file).Any(line => line.Contains("NotImplemented" + "Exception", StringComparison.Ordinal)
            || line.Contains("TODO" + ":", StringComparison.Ordinal)));

    [Fact]
    public void Folders_All_HaveNamesThatMeanSomething() => AssertNone(
        Repository.Files("*.cs", s_code),
        file => Repository.Relative(file).Split('/').SkipLast(1).Intersect(s_meaninglessNames).Any());

    [Fact]
    public void ProjectFiles_All_AreShort() => AssertNone(
        Repository.Projects(s_code).Select(p => p.Path),
        file => File.ReadLines(file).Count() > LongestProjectFile);

    [Fact]
    public void Libraries_All_HaveAReadme() => AssertNone(
        Repository.Projects("src").Select(p => p.Path),
        file => !File.Exists(Path.Combine(Path.GetDirectoryName(file)!, "README.md")));

    [Fact]
    public void Solution_HasEveryProject()
    {
        string solution = File.ReadAllText(Path.Combine(Repository.Root, "OverlayBd.sln")).Replace('\\', '/');
        AssertNone(Repository.Projects(s_code).Select(p => p.Path), file => !solution.Contains('"' + Repository.Relative(file) + '"'));
    }

    [Fact]
    public void Libraries_All_HaveATestProject() => AssertNone(
        Repository.Projects("src").Select(p => p.Path),
        file => !Directory.Exists(Path.Combine(Repository.Root, "tests", Path.GetFileNameWithoutExtension(file) + ".Tests")));

    private static void AssertNone(IEnumerable<string> files, Func<string, bool> breaksTheRule) =>
        Assert.Empty(files.Where(breaksTheRule).Select(Repository.Relative));
}
