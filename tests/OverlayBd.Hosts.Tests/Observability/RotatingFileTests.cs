// SPDX-License-Identifier: Apache-2.0

extern alias backstore;

using System.Text;
using backstore::OverlayBd.Backstore.Observability.Logging;
using OverlayBd.Format.Config;
using OverlayBd.Testing;

namespace OverlayBd.Hosts.Tests.Observability;

public sealed class RotatingFileTests : IDisposable
{
    private readonly TempDirectory _directory = new();

    private string Log => _directory["x.log"];

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void Append_BeyondTheLimit_KeepsSoManyOldFilesAndNoMore()
    {
        using (RotatingFile file = new(Log, new(100, 2)))
        {
            for (int i = 0; i < 10; i++)
            {
                file.Append(Line(i));
            }
        }

        Assert.Equal(["x.log", "x.log.1", "x.log.2"], Names());
        Assert.Equal([8, 9], Numbers(Log));
        Assert.Equal([6, 7], Numbers(Log + ".1"));
        Assert.Equal([4, 5], Numbers(Log + ".2"));
    }

    [Fact]
    public void Append_WithoutOldFiles_BeginsAnew()
    {
        using RotatingFile file = new(Log, new(100, 0));
        for (int i = 0; i < 3; i++)
        {
            file.Append(Line(i));
        }

        Assert.Equal(["x.log"], Names());
        Assert.Equal([2], Numbers(Log));
    }

    [Fact]
    public void Append_ToWhatAnEarlierProcessLeft_GoesOn()
    {
        File.WriteAllBytes(Log, Line(0));
        using RotatingFile file = new(Log, new(1000, 2));
        file.Append(Line(1));
        Assert.Equal([0, 1], Numbers(Log));
    }

    [Fact]
    public void Append_AfterARename_MakesTheFileAgain()
    {
        using RotatingFile file = new(Log, new(1000, 2));
        file.Append(Line(0));
        File.Move(Log, _directory["moved"]);
        file.Append(Line(1));
        Assert.Equal([0], Numbers(_directory["moved"]));
        Assert.Equal([1], Numbers(Log));
    }

    [Fact]
    public void Append_AfterADeletion_MakesTheFileAgain()
    {
        using RotatingFile file = new(Log, new(1000, 2));
        file.Append(Line(0));
        File.Delete(Log);
        file.Append(Line(1));
        Assert.Equal([1], Numbers(Log));
    }

    [Fact]
    public void Append_AfterTheFileWasCut_LeavesNoHole()
    {
        using RotatingFile file = new(Log, new(1000, 2));
        file.Append(Line(0));
        using (FileStream cut = new(Log, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            cut.SetLength(0);
        }

        file.Append(Line(1));
        Assert.Equal([1], Numbers(Log));
    }

    [Fact]
    public void Append_WhenTheDirectoryHasGone_StillHasTheOldFile()
    {
        string path = Path.Combine(Directory.CreateDirectory(_directory["sub"]).FullName, "x.log");
        using RotatingFile file = new(path, new(1000, 2));
        Directory.Move(_directory["sub"], _directory["elsewhere"]);
        file.Append(Line(7));
        Assert.Equal([7], Numbers(_directory["elsewhere/x.log"]));
    }

    [Fact]
    public void Append_ThatCannotRotate_LosesNothing()
    {
        Directory.CreateDirectory(Log + ".1");
        File.WriteAllText(Log + ".1/occupied", "");
        using RotatingFile file = new(Log, new(100, 1));
        for (int i = 0; i < 5; i++)
        {
            file.Append(Line(i));
        }

        Assert.Equal([0, 1, 2, 3, 4], Numbers(Log));
    }

    [Fact]
    public void Open_WhereNothingCanBe_SaysWhere()
    {
        IOException error = Assert.Throws<IOException>(() => new RotatingFile(_directory["no/where.log"], new(100, 1)));
        Assert.Contains(_directory["no/where.log"], error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1, 0, 1 << 20, 0)]
    [InlineData(0, 3, 1 << 20, 3)]
    [InlineData(10, 99, 10 << 20, 30)]
    public void Rule_IsClamped(int size, int files, long limit, int old) =>
        Assert.Equal(new RotationRule(limit, old), RotationRule.Of(new LogConfig { SizeInMiB = size, RotatedFiles = files }));

    // Forty bytes: two fit a hundred.
    private static byte[] Line(int number) => Encoding.UTF8.GetBytes($"{number,-39}\n");

    private static int[] Numbers(string path) => [.. File.ReadAllLines(path).Select(int.Parse)];

    private string[] Names() => [.. Directory.GetFiles(_directory.Path).Select(path => Path.GetFileName(path)).Order(StringComparer.Ordinal)];
}
