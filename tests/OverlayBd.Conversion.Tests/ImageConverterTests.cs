// SPDX-License-Identifier: Apache-2.0

using OverlayBd.Format.Oci;
using OverlayBd.Registry;
using OverlayBd.Testing.Registries;

namespace OverlayBd.Conversion.Tests;

public sealed class ImageConverterTests : IAsyncLifetime
{
    private ImageWorkshop _workshop = null!;

    private FaultyRegistry Registry => _workshop.Registry;

    public async ValueTask InitializeAsync() => _workshop = await ImageWorkshop.StartAsync();

    public ValueTask DisposeAsync() => _workshop.DisposeAsync();

    [Fact]
    public async Task Image_IsConverted_AndNoWorkFileIsLeft()
    {
        Descriptor original = _workshop.AddImage(3);
        ConversionResult result = await _workshop.ConvertAsync();
        ConvertedManifest converted = Assert.Single(result.Manifests);
        Assert.Equal(original.Digest, converted.Original.Digest);
        Assert.Equal(3, converted.Layers.Count);
        Assert.NotNull(Registry.GetManifest(ImageWorkshop.Target, "obd"));
        Assert.All(converted.Layers, layer => Assert.NotNull(Registry.GetBlob(ImageWorkshop.Target, layer.Converted.Digest)));
        Assert.Empty(Directory.EnumerateFileSystemEntries(_workshop.WorkDirectory));
    }

    [Fact]
    public async Task Progress_EndsAtTheTotal_InEveryStageOfEveryLayer()
    {
        _workshop.AddImage(2);
        var last = new Dictionary<(int Layer, ConversionStage Stage), ConversionProgress>();
        await _workshop.ConvertAsync(progress: new Observer(value =>
        {
            lock (last)
            {
                last[(value.Layer, value.Stage)] = value;
            }
        }));
        Assert.Equal(6, last.Count);
        Assert.All(last.Values, value => Assert.Equal(value.Total, value.Done));
    }

    [Fact]
    public async Task LayoutWithoutATag_IsConvertedFromItsOnlyImage()
    {
        Descriptor manifest = _workshop.AddImage(2);
        await using ImageRepository source = ImageLocation.Parse($"docker://{Registry.Host}/{ImageWorkshop.Source}").Open(_workshop.Client);
        string layout = $"oci:{_workshop["layout"]}";
        await using (ImageRepository copy = ImageLocation.Parse(layout).Open(_workshop.Client))
        {
            ManifestContent content = await source.GetManifestAsync(manifest.Digest.ToString());
            foreach (Descriptor blob in content.AsManifest()!.Layers.Append(content.AsManifest()!.Config))
            {
                await copy.PushBlobAsync(blob, async token => await source.OpenBlobAsync(blob, token));
            }

            await copy.PushManifestAsync(content.Content, content.Descriptor.MediaType, "copied");
        }

        ConversionResult fromLayout = await _workshop.ConvertAsync(layout, "copied");
        Assert.Equal((await _workshop.ConvertAsync()).Target.Digest, fromLayout.Target.Digest);
    }

    [Fact]
    public async Task DiffIdThatIsAnotherTars_NamesTheLayerAndBothDigests()
    {
        Digest wrong = Digest.Sha256("another tar"u8);
        _workshop.AddImage(3, changeDiffIds: ids => [ids[0], wrong, ids[2]]);
        InvalidDataException error = await _workshop.ConvertInVainAsync<InvalidDataException>();
        Assert.Contains("Layer 1 (sha256:", error.Message, StringComparison.Ordinal);
        Assert.Contains(wrong.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains(Digest.Sha256(ImageWorkshop.Tar(1)).ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LayerWithWrongBytes_NamesItsDigest()
    {
        _workshop.AddImage(3);
        Digest digest = Digest.Sha256(ImageWorkshop.Gzip(ImageWorkshop.Tar(1)));
        Registry.Inject(Fault.WrongBytes, int.MaxValue, request => request.IsBlobRead && request.Path.EndsWith(digest.Hex, StringComparison.Ordinal));
        InvalidDataException error = await _workshop.ConvertInVainAsync<InvalidDataException>();
        Assert.Contains(digest.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(1L << 50)]
    public async Task ManifestThatLiesAboutASize_IsRefused_WithTheLayersDigest(long difference)
    {
        Digest digest = Digest.Sha256(ImageWorkshop.Gzip(ImageWorkshop.Tar(1)));
        _workshop.AddImage(2, changeManifest: manifest => manifest with
        {
            Layers = [manifest.Layers[0], manifest.Layers[1] with { Size = manifest.Layers[1].Size + difference }],
        });
        Exception error = await _workshop.ConvertInVainAsync<Exception>();
        Assert.True(error is InvalidDataException or RegistryException, error.ToString());
        Assert.Contains(digest.ToString(), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ManifestWithANegativeSize_IsRefused()
    {
        _workshop.AddImage(1, changeManifest: manifest => manifest with { Layers = [manifest.Layers[0] with { Size = -5 }] });
        InvalidDataException error = await _workshop.ConvertInVainAsync<InvalidDataException>();
        Assert.Contains("layers[0]", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("damaged")]
    [InlineData("cut")]
    [InlineData("no tar")]
    public async Task LayerThatCannotBeUnpacked_IsNamed(string how)
    {
        _workshop.AddImage(3, changeBlob: (i, blob) => (i, how) switch
        {
            (1, "damaged") => [.. blob[..30], .. blob[30..^20].Select(b => (byte)~b), .. blob[^20..]],
            (1, "cut") => blob[..^40],
            (1, "no tar") => ImageWorkshop.Gzip([.. Enumerable.Repeat((byte)'x', 4096)]),
            _ => blob,
        });
        Exception error = await _workshop.ConvertInVainAsync<Exception>();
        Assert.True(error is InvalidDataException or EndOfStreamException, error.ToString());
        Assert.Contains("Layer 1 (sha256:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LayersAndDiffIdsOfDifferentNumber_AreRefused()
    {
        _workshop.AddImage(3, changeDiffIds: ids => [ids[0], ids[1]]);
        InvalidDataException error = await _workshop.ConvertInVainAsync<InvalidDataException>();
        Assert.Contains("3 layers, but its config names 2 diff ids", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ImageWithoutLayers_IsRefused()
    {
        _workshop.AddImage(0);
        InvalidDataException error = await _workshop.ConvertInVainAsync<InvalidDataException>();
        Assert.Contains("has no layers", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ImageWithMoreLayersThanADeviceStacks_IsRefused_BeforeAnyIsFetched()
    {
        _workshop.AddImage(
            1,
            changeManifest: manifest => manifest with { Layers = [.. Enumerable.Repeat(manifest.Layers[0], 256)] },
            changeDiffIds: ids => [.. Enumerable.Repeat(ids[0], 256)]);
        InvalidDataException error = await _workshop.ConvertInVainAsync<InvalidDataException>();
        Assert.Contains("256 layers", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, Registry.RequestsOf(Digest.Sha256(ImageWorkshop.Gzip(ImageWorkshop.Tar(0)))));
    }

    [Fact]
    public async Task ConvertedImage_IsNotConvertedAgain()
    {
        _workshop.AddImage(1, changeManifest: manifest => manifest with
        {
            Layers =
            [
                manifest.Layers[0] with
                {
                    Annotations = new SortedDictionary<string, string>(StringComparer.Ordinal) { [OverlayBdAnnotations.BlobDigest] = "sha256:1" },
                },
            ],
        });
        InvalidDataException error = await _workshop.ConvertInVainAsync<InvalidDataException>();
        Assert.Contains("overlaybd image already", error.Message, StringComparison.Ordinal);
    }

    // With more layers than the channels hold, so that every other stage waits for one that never comes again.
    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task FailingUpload_StopsTheOtherStages(int uploadsBefore)
    {
        _workshop.AddImage(8);
        int uploads = 0;
        Registry.Inject(Fault.Status(403), int.MaxValue, request => request.Method == "PUT"
            && request.Path.Contains("/blobs/uploads/", StringComparison.Ordinal)
            && Interlocked.Increment(ref uploads) > uploadsBefore);
        RegistryException error = await _workshop.ConvertInVainAsync<RegistryException>();
        Assert.Equal(RegistryError.Forbidden, error.Error);
    }

    [Fact]
    public async Task FailingFetch_StopsTheOtherStages_AndIsWhatIsReported()
    {
        _workshop.AddImage(8);
        string third = Digest.Sha256(ImageWorkshop.Gzip(ImageWorkshop.Tar(2))).Hex;
        Registry.Inject(Fault.Status(500), int.MaxValue, request => request.IsBlobRead && request.Path.EndsWith(third, StringComparison.Ordinal));
        RegistryException error = await _workshop.ConvertInVainAsync<RegistryException>();
        Assert.Equal(RegistryError.Unavailable, error.Error);
        Assert.Contains(third, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task FailingManifest_LeavesNoTag_AndTheNextTryUploadsNoLayerAgain()
    {
        _workshop.AddImage(2);
        static bool IsManifest(RecordedRequest request) => request.Method == "PUT" && request.Path.Contains("/manifests/", StringComparison.Ordinal);
        Registry.Inject(Fault.Status(400), int.MaxValue, IsManifest);
        await _workshop.ConvertInVainAsync<RegistryException>();
        Registry.ClearFaults();
        int before = Registry.Requests.Count;
        await _workshop.ConvertAsync();
        Assert.DoesNotContain(Registry.Requests.Skip(before), request => request.Method == "PUT" && !IsManifest(request));
    }

    [Theory]
    [InlineData(ConversionStage.Fetch, 0)]
    [InlineData(ConversionStage.Fetch, 3)]
    [InlineData(ConversionStage.Build, 0)]
    [InlineData(ConversionStage.Build, 3)]
    [InlineData(ConversionStage.Upload, 0)]
    [InlineData(ConversionStage.Upload, 3)]
    public async Task Cancellation_InAnyStage_IsReportedAsSuch_AndLeavesNothing(ConversionStage stage, int layer)
    {
        _workshop.AddImage(4);
        using var cancellation = new CancellationTokenSource();
        var observer = new Observer(value =>
        {
            if (value.Stage == stage && value.Layer == layer)
            {
                cancellation.Cancel();
            }
        });
        OperationCanceledException error = await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _workshop.ConvertAsync(progress: observer, cancellationToken: cancellation.Token));
        Assert.Equal(cancellation.Token, error.CancellationToken);
        _workshop.AssertNothingIsLeft();
    }

    [Fact]
    public async Task Cancellation_WhileTheRegistryHangs_IsNotWaitedFor()
    {
        _workshop.AddImage(2);
        using var cancellation = new CancellationTokenSource();
        Registry.Inject(Fault.Hang, int.MaxValue, request =>
        {
            bool hangs = request.IsBlobRead && request.Path.EndsWith(Digest.Sha256(ImageWorkshop.Gzip(ImageWorkshop.Tar(1))).Hex, StringComparison.Ordinal);
            if (hangs)
            {
                cancellation.Cancel();
            }

            return hangs;
        });
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _workshop.ConvertAsync(cancellationToken: cancellation.Token));
        _workshop.AssertNothingIsLeft();
    }

    [Fact]
    public async Task WorkDirectoryThatCannotBeMade_IsAnIOException()
    {
        _workshop.AddImage(1);
        string file = Path.Combine(_workshop["occupied"]);
        await File.WriteAllTextAsync(file, "");
        await using ImageRepository source = ImageLocation.Parse($"docker://{Registry.Host}/{ImageWorkshop.Source}").Open(_workshop.Client);
        await Assert.ThrowsAnyAsync<IOException>(
            () => ImageConverter.ConvertAsync(source, "v1", source, "obd", new ImageConverterOptions { WorkDirectory = file }));
    }

    [Fact]
    public async Task Index_IsConvertedForThePlatformAskedFor()
    {
        Descriptor arm = AddIndex();
        ConversionResult result = await _workshop.ConvertAsync(
            new ImageConverterOptions { Platform = new Platform { Os = "linux", Architecture = "arm64" } });
        Assert.Equal(arm.Digest, Assert.Single(result.Manifests).Original.Digest);
        Assert.Equal(MediaTypes.OciManifest, result.Target.MediaType);
    }

    [Fact]
    public async Task IndexWithoutThePlatform_SaysWhichThereAre()
    {
        AddIndex();
        InvalidDataException error = await _workshop.ConvertInVainAsync<InvalidDataException>(
            new ImageConverterOptions { Platform = new Platform { Os = "linux", Architecture = "riscv64" } });
        Assert.Contains("linux/arm64", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AllPlatforms_GiveAnIndexOfTheImages_WithoutTheAttestations()
    {
        AddIndex();
        ConversionResult result = await _workshop.ConvertAsync(new ImageConverterOptions { AllPlatforms = true });
        Assert.Equal(2, result.Manifests.Count);
        ImageIndex index = OciJson.ReadIndex(Registry.GetManifest(ImageWorkshop.Target, "obd"), "index");
        Assert.Equal(result.Manifests.Select(manifest => manifest.Converted.Digest), index.Manifests.Select(entry => entry.Digest));
        Assert.Equal(["amd64", "arm64"], index.Manifests.Select(entry => entry.Platform!.Architecture));
    }

    [Fact]
    public async Task AllPlatforms_OfAnImageWithoutIndex_GiveThatImage()
    {
        _workshop.AddImage(1);
        ConversionResult result = await _workshop.ConvertAsync(new ImageConverterOptions { AllPlatforms = true });
        Assert.Equal(MediaTypes.OciManifest, result.Target.MediaType);
    }

    [Fact]
    public async Task AllPlatforms_WithOneThatFails_LeaveNoTag()
    {
        AddIndex(changeSecond: ids => [Digest.Sha256("x"u8)]);
        InvalidDataException error = await _workshop.ConvertInVainAsync<InvalidDataException>(new ImageConverterOptions { AllPlatforms = true });
        Assert.Contains("Layer 0 (sha256:", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AllPlatforms_OfAttestationsOnly_AreRefused()
    {
        var index = new ImageIndex { SchemaVersion = 2, MediaType = MediaTypes.OciIndex, Manifests = [Attestation()] };
        Registry.AddManifest(ImageWorkshop.Source, "v1", OciJson.Write(index), MediaTypes.OciIndex);
        InvalidDataException error = await _workshop.ConvertInVainAsync<InvalidDataException>(new ImageConverterOptions { AllPlatforms = true });
        Assert.Contains("none of the 1 entries", error.Message, StringComparison.Ordinal);
    }

    /// <summary>An index of two images and an attestation; returns the second image.</summary>
    private Descriptor AddIndex(Func<IReadOnlyList<Digest>, IReadOnlyList<Digest>>? changeSecond = null)
    {
        Descriptor amd = _workshop.AddImage(2, tag: null);
        Descriptor arm = _workshop.AddImage(1, tag: null, changeDiffIds: changeSecond);
        var index = new ImageIndex
        {
            SchemaVersion = 2,
            MediaType = MediaTypes.OciIndex,
            Manifests =
            [
                amd with { Platform = new Platform { Os = "linux", Architecture = "amd64" } },
                Attestation(),
                arm with { Platform = new Platform { Os = "linux", Architecture = "arm64" } },
            ],
        };
        Registry.AddManifest(ImageWorkshop.Source, "v1", OciJson.Write(index), MediaTypes.OciIndex);
        return arm;
    }

    private Descriptor Attestation()
    {
        var annotations = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["vnd.docker.reference.type"] = "attestation-manifest" };
        return _workshop.AddImage(0, tag: null) with { Platform = new Platform { Os = "unknown", Architecture = "unknown" }, Annotations = annotations };
    }

    private sealed class Observer(Action<ConversionProgress> observe) : IProgress<ConversionProgress>
    {
        public void Report(ConversionProgress value) => observe(value);
    }
}
