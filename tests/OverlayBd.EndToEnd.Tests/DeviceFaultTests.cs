// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Fuse;
using OverlayBd.Images;
using OverlayBd.Registry;
using OverlayBd.Registry.Caching;
using OverlayBd.Testing.Registries;

namespace OverlayBd.EndToEnd.Tests;

/// <summary>What a program that reads the device sees when the registry does wrong, and after.</summary>
public sealed class DeviceFaultTests(SmallImage image) : IClassFixture<SmallImage>, IAsyncLifetime
{
    private RegistryClient _client = null!;
    private BlockCache _cache = null!;
    private OverlayBdImage _disk = null!;
    private FuseBlockDevice _device = null!;

    public async ValueTask InitializeAsync()
    {
        _client = new RegistryClient(new RegistryClientOptions
        {
            MaxAttempts = 2,
            RetryDelay = TimeSpan.FromMilliseconds(1),
            HeaderTimeout = TimeSpan.FromMilliseconds(400),
            StallTimeout = TimeSpan.FromMilliseconds(400),
        });
        _cache = await image.OpenCacheAsync();
        _disk = await OverlayBdImage.OpenAsync(image.Open(_client), image.Manifest, new OverlayBdImageOptions { Cache = _cache });
        _device = await FuseBlockDevice.AttachAsync(
            _disk, new FuseBlockDeviceOptions { Name = "faults", MountPoint = image["disk"], ReadOnly = true });
    }

    public async ValueTask DisposeAsync()
    {
        image.Registry.ClearFaults();
        await _device.DisposeAsync();
        await _cache.DisposeAsync();
        _client.Dispose();
    }

    [Theory]
    [InlineData("wrong bytes")]
    [InlineData("another blob")]
    [InlineData("closes halfway")]
    [InlineData("500")]
    [InlineData("stalls")]
    public async Task FaultOnce_IsMendedBeforeTheReaderSeesIt(string what)
    {
        image.Registry.Inject(FaultOf(what));
        await AssertReadsAsync(image.Parts[1]);
        Assert.Equal(what is "wrong bytes" or "another blob", _cache.Statistics.InvalidatedUnits > 0);
    }

    [Theory]
    [InlineData("wrong bytes")]
    [InlineData("another blob")]
    [InlineData("closes halfway")]
    [InlineData("sends less")]
    [InlineData("another range")]
    [InlineData("200 to a range")]
    [InlineData("no content range")]
    [InlineData("another size")]
    [InlineData("500")]
    [InlineData("401")]
    [InlineData("404")]
    [InlineData("429")]
    [InlineData("stalls")]
    [InlineData("hangs")]
    [InlineData("aborts")]
    public async Task FaultAlways_IsAnInputOutputError_UntilTheRegistryIsMended(string what)
    {
        await AssertReadsAsync(image.Parts[0]);
        image.Registry.Inject(FaultOf(what), int.MaxValue);
        for (int i = 0; i < 2; i++)
        {
            ShellResult result = await ReadAsync(image.Parts[2]);
            Assert.Equal(1, result.ExitCode);
            Assert.Contains("Input/output error", result.Error, StringComparison.Ordinal);
        }

        Exception error = await Assert.ThrowsAnyAsync<Exception>(() => _disk.ReadAsync(image.Parts[3], new byte[4096]).AsTask());
        Assert.True(error is IOException or InvalidDataException, error.ToString());
        Assert.Contains(image.Manifest.Layers[0].Digest.ToString(), error.Message, StringComparison.Ordinal);

        await AssertReadsAsync(image.Parts[0]);
        image.Registry.ClearFaults();
        await AssertReadsAsync(image.Parts[2]);
        await AssertReadsAsync(image.Parts[3]);
    }

    [Fact]
    public async Task MountedFileSystem_SurvivesARegistryThatIsAwayForAWhile()
    {
        await using KernelMount mount = await KernelMount.MountAsync(_device.DevicePath, image["mount"], "ro");
        string file = Path.Combine(mount.Path, "large");
        image.Registry.Inject(Fault.Abort, int.MaxValue);
        ShellResult failed = await Shell.TryRunAsync("timeout", "60", "cmp", file, "/dev/null");
        Assert.NotEqual(124, failed.ExitCode);
        Assert.Contains("Input/output error", (await Shell.TryRunAsync("timeout", "60", "cat", file)).Error, StringComparison.Ordinal);
        image.Registry.ClearFaults();
        byte[] expected = new byte[16 << 20];
        new Random(1).NextBytes(expected);
        byte[] found = await File.ReadAllBytesAsync(file);
        Assert.True(found.AsSpan().SequenceEqual(expected));
    }

    private Fault FaultOf(string what) => what switch
    {
        "wrong bytes" => Fault.WrongBytes,
        "another blob" => Fault.OtherBlob(image.AddOtherBlob(0)),
        "closes halfway" => Fault.CloseAfter(30_000),
        "sends less" => Fault.ShorterBy(1000),
        "another range" => Fault.ShiftedBy(4096),
        "200 to a range" => Fault.IgnoreRange,
        "no content range" => Fault.NoContentRange,
        "another size" => Fault.WrongTotal(image.Manifest.Layers[0].Size - 1),
        "stalls" => Fault.StallAfter(30_000),
        "hangs" => Fault.Hang,
        "aborts" => Fault.Abort,
        _ => Fault.Status(int.Parse(what)),
    };

    private async Task AssertReadsAsync(long offset)
    {
        ShellResult result = await ReadAsync(offset);
        Assert.True(result.ExitCode == 0, result.Error);
        byte[] found = await File.ReadAllBytesAsync(image["read"]);
        Assert.True(image.Content.AsSpan((int)offset, 256 * 1024).SequenceEqual(found));
    }

    // In a process of its own, past the page cache; a read that hangs is ended after a minute, and fails the test.
    private Task<ShellResult> ReadAsync(long offset) => Shell.TryRunAsync(
        "timeout", "60", "dd", $"if={_device.DevicePath}", $"of={image["read"]}", "bs=64k", "count=4", $"skip={offset / 65536}", "iflag=direct", "status=none");
}
