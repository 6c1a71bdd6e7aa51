// SPDX-License-Identifier: Apache-2.0

using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace OverlayBd.Architecture.Tests;

/// <summary>What the compiled libraries really use: project files do not show what the framework brings along.</summary>
public sealed class AssemblyTests
{
    public static TheoryData<string> Libraries { get; } = [.. Repository.Projects("src").Select(p => p.Name)];

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Assembly_OfLibrary_UsesNothingForbidden(string library)
    {
        string[] forbidden = LayerRules.Forbidden[library];
        using PEReader file = Open(library);
        MetadataReader metadata = file.GetMetadataReader();
        IEnumerable<string> assemblies = metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name));
        IEnumerable<string> types = metadata.TypeReferences.Select(handle => FullName(metadata, metadata.GetTypeReference(handle)));

        Assert.DoesNotContain(assemblies.Concat(types), used => forbidden.Any(prefix => IsWithin(used, prefix)));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Assembly_OfManagedLibrary_CallsNothingNative(string library)
    {
        if (!LayerRules.ManagedOnly.Contains(library))
        {
            return;
        }

        using PEReader file = Open(library);
        MetadataReader metadata = file.GetMetadataReader();
        Assert.Empty(metadata.MethodDefinitions
            .Select(metadata.GetMethodDefinition)
            .Where(method => method.Attributes.HasFlag(MethodAttributes.PinvokeImpl))
            .Select(method => metadata.GetString(method.Name)));
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public void Assembly_OfLibrary_HasItsTypesInItsOwnNamespace(string library)
    {
        using PEReader file = Open(library);
        MetadataReader metadata = file.GetMetadataReader();
        IEnumerable<string> namespaces = metadata.TypeDefinitions
            .Select(metadata.GetTypeDefinition)
            .Where(type => (type.Attributes & TypeAttributes.VisibilityMask) == TypeAttributes.Public)
            .Select(type => metadata.GetString(type.Namespace));

        // Extensions of a service collection stand where every user of one looks for them.
        Assert.DoesNotContain(namespaces, name => !IsWithin(name, library) && name != "Microsoft.Extensions.DependencyInjection");
    }

    private static PEReader Open(string library) =>
        new(File.OpenRead(Path.Combine(AppContext.BaseDirectory, library + ".dll")));

    private static bool IsWithin(string name, string prefix) =>
        name == prefix || name.StartsWith(prefix + ".", StringComparison.Ordinal);

    private static string FullName(MetadataReader metadata, TypeReference type) =>
        metadata.GetString(type.Namespace) + "." + metadata.GetString(type.Name);
}
