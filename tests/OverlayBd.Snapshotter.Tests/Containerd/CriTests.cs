// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Grpc.Net.Client;
using OverlayBd.Snapshotter.Tests.Containerd.Cri;
using OverlayBd.Snapshotter.Tests.Infrastructure;
using OverlayBd.Testing;

namespace OverlayBd.Snapshotter.Tests.Containerd;

/// <summary>containerd as a kubelet uses it: images pulled and pods run through CRI.</summary>
public sealed class CriTests(RunnableImage image) : IClassFixture<RunnableImage>
{
    private static readonly string[] s_sleep = ["/bin/busybox", "sleep", "3600"];

    [Fact]
    public async Task Pod_OfAnImagePulledThroughCri_RunsLazily_AndWritesToADeviceThatAnAnnotationAsksFor()
    {
        string pause = await image.PushVariantAsync("pause", s_sleep);
        using MountedDirectory files = new();
        await using ContainerdNode node = await ContainerdNode.StartAsync(
            new() { ["mirrorRegistry"] = new[] { new { host = image.Registry.Host, insecure = true } } }, Configuration(files, pause));
        using GrpcChannel channel = SnapshotterDaemon.Connect(node.Directory["containerd.sock"]);
        await new ImageService.ImageServiceClient(channel).PullImageAsync(new() { Image = new() { Image = image.ConvertedReference } });
        await AssertIsLazyAsync(node);

        RuntimeService.RuntimeServiceClient runtime = new(channel);
        PodSandboxConfig pod = new()
        {
            Metadata = new() { Name = "pod", Uid = node.Unique("pod"), Namespace = "default" },
            Linux = new() { SecurityContext = new() { NamespaceOptions = new() { Network = NamespaceMode.Node } } },
        };
        string sandbox = (await runtime.RunPodSandboxAsync(new() { Config = pod })).PodSandboxId;
        ContainerConfig config = new() { Metadata = new() { Name = "container" }, Image = new() { Image = image.ConvertedReference } };
        config.Command.Add(s_sleep);
        config.Annotations["containerd.io/snapshot/overlaybd.writable"] = "dir";
        string container = (await runtime.CreateContainerAsync(
            new() { PodSandboxId = sandbox, Config = config, SandboxConfig = pod })).ContainerId;
        await runtime.StartContainerAsync(new() { ContainerId = container });
        ExecSyncRequest request = new() { ContainerId = container, Timeout = 30 };
        request.Cmd.Add(["/bin/sh", "-c", "echo written >>/etc/hello; cat /etc/hello"]);
        ExecSyncResponse answer = await runtime.ExecSyncAsync(request);
        Assert.Equal("hello from the image\nwritten\n", answer.Stdout.ToStringUtf8());

        // One device for the sandbox's image, and one that is the container's own.
        Assert.Equal(2, (await node.Backstore.ListAsync()).Length);
        Assert.InRange(await node.Backstore.FetchedBytesAsync(), 1, image.Converted.Layers.Sum(layer => layer.Size) / 4);
        await runtime.StopPodSandboxAsync(new() { PodSandboxId = sandbox });
        await runtime.RemovePodSandboxAsync(new() { PodSandboxId = sandbox });
        await node.Containerd.CollectGarbageAsync();
        await Eventually.TrueAsync(
            () => Directory.GetDirectories(node.Directory["snapshotter/snapshots"]).Length == image.Converted.Layers.Count,
            () => $"garbage collection removes the snapshots of sandbox and container\n{node.Containerd.Log}\n{node.Daemon.Process.Log}");
        Assert.Single(await node.Backstore.ListAsync());
    }

    private async Task AssertIsLazyAsync(ContainerdNode node)
    {
        string content = await node.Containerd.CtrAsync("--namespace", "k8s.io", "content", "ls", "-q");
        Assert.All(image.Converted.Layers, layer => Assert.DoesNotContain(layer.Digest.ToString(), content, StringComparison.Ordinal));
        string top = await node.Containerd.CtrAsync(
            "--namespace", "k8s.io", "snapshots", "--snapshotter", "overlaybd", "info", image.ChainId(image.Converted.Layers.Count - 1));
        Assert.Equal(image.ConvertedReference, $"{JsonNode.Parse(top)!["Labels"]!["containerd.io/snapshot/cri.image-ref"]}");
    }

    private string Configuration(MountedDirectory files, string pause)
    {
        string hosts = Path.Combine(files["certs.d"], image.Registry.Host);
        Directory.CreateDirectory(hosts);
        File.WriteAllText(Path.Combine(hosts, "hosts.toml"), $"server = \"http://{image.Registry.Host}\"\n");
        return $"""
            [plugins."io.containerd.grpc.v1.cri"]
              sandbox_image = "{pause}"
              stream_server_port = "0"
              restrict_oom_score_adj = true
              [plugins."io.containerd.grpc.v1.cri".cni]
                bin_dir = "{files["cni-bin"]}"
                conf_dir = "{files["cni"]}"
              [plugins."io.containerd.grpc.v1.cri".containerd]
                snapshotter = "overlaybd"
                disable_snapshot_annotations = false
              [plugins."io.containerd.grpc.v1.cri".registry]
                config_path = "{files["certs.d"]}"
            """;
    }
}
