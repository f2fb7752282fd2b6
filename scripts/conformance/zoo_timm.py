"""A small model of each family of timm, for make_zoo.py."""
import timm
import torch

NAMES = '''
botnet26t_256 botnet50ts_256 eca_botnext26ts_256 halo2botnet50ts_256 halonet_h1 halonet26t halonet50ts haloregnetz_b lambda_resnet26t
lamhalobotnet50ts_256 sebotnet33ts_256 sehalonet33ts bat_resnext26ts eca_resnext26ts gcresnet50t gcresnet33ts gcresnext26ts gernet_s
mobileone_s1 regnetz_b16 repvgg_a0 resnet50_clip_gap resnet51q resnet32ts resnext26ts seresnet33ts seresnext26ts test_byobnet
cait_xxs24_224 coat_tiny convit_tiny convmixer_768_32 convnext_zepto_rms convnextv2_atto test_convnext cpubone_nano crossvit_tiny_240
cs3darknet_focus_s cspdarknet53 cspresnet50 cspresnet50d cspresnet50w cspresnext50 cs3sedarknet_xdw darknet17 darknetaa53 sedarknet21
davit_tiny deit_tiny_patch16_224 densenet121 densenetblur121d dla46_c dla46x_c dpn68 dpn48b edgenext_xx_small efficientformer_l1
efficientformerv2_s0 efficientnet_lite0 efficientnetv2_rw_t fbnetc_100 gc_efficientnetv2_rw_t mixnet_s mnasnet_small
mobilenet_edgetpu_100 mobilenetv2_035 semnasnet_050 spnasnet_100 test_efficientnet tf_mixnet_s tinynet_e efficientvit_b0
efficientvit_m0 eva02_tiny_patch14_224 vit_tiny_patch16_dinov3_qkvb fasternet_t0 fastvit_t8 focalnet_tiny_srf gcvit_xxtiny ghostnet_050
ghostnetv3_050 hardcorenas_b hgnet_tiny hgnetv2_b0 hiera_tiny_224 hieradet_small sam2_hiera_tiny hrnet_w18_small inception_next_atto
inception_v3 lcnetv2_small levit_128s lowformer_b0 mambaout_femto test_mambaout coatnet_pico_rw_224 coatnext_nano_rw_224
maxvit_pico_rw_256 maxxvit_rmlp_nano_rw_256 maxxvitv2_nano_rw_256 caformer_s18 convformer_s18 poolformer_s12 poolformerv2_s12
gmixer_12_224 gmlp_ti16_224 mixer_s16_224 resmlp_12_224 fbnetv3_b lcnet_035 mobilenetv3_small_050 tf_mobilenetv3_small_075
mobilevit_xxs mobilevitv2_050 mvitv2_tiny nest_tiny nextvit_small eca_nfnet_l0 nf_regnet_b0 nfnet_l0 test_nfnet pit_ti_224 pvt_v2_b0
rdnet_tiny repghostnet_050 repvit_m1 res2net50_14w_8s res2net50d res2next50 resnest14d ecaresnet50d_pruned ecaresnetlight ecaresnet26t
ecaresnext26t_32x4d resnet18 resnetaa50 resnetaa34d resnetblur18 resnetblur50d resnet50c resnet18d resnetrs50 resnet50s resnet10t
resnext50_32x4d resnext50d_32x4d seresnet18 seresnetaa50d seresnet50t seresnext50_32x4d seresnext26d_32x4d seresnext26t_32x4d
test_resnet resnetv2_18 rexnet_100 rexnetr_100 selecsls42 selecsls42b legacy_seresnet18 sequencer2d_s shvit_s1 skresnet18 skresnet50d
skresnext50_32x4d starnet_s050 swiftformer_xs swin_tiny_patch4_window7_224 swinv2_tiny_window8_256 swinv2_cr_tiny_224 tiny_vit_5m_224
tnt_s_legacy_patch16_224 tresnet_m twins_svt_small visformer_tiny flexivit_small test_vit vit_tiny_patch16_224 vit_tiny_r_s16_p8_224
vit_srelpos_small_patch16_224 vitamin_small_224 volo_d1_224 eca_vovnet39b ese_vovnet19b_slim_dw vovnet39a legacy_xception xception41
xception41p xcit_nano_12_p8_224 convnext_atto_ols crossvit_9_240 crossvit_15_dagger_240 csatv2 efficientnet_b0 tf_efficientnetv2_b0
tf_efficientnet_b0 efficientnet_es mobilenetv2_050 mobilenetv4_conv_small_050 mobilenetv4_hybrid_medium mixer_s32_224 coat_lite_tiny
coatnet_nano_rw_224 coatnet_bn_0_rw_224 maxvit_rmlp_pico_rw_256 maxvit_tiny_tf_224 pvt_v2_b1 twins_pcpvt_small
vit_relpos_small_patch16_224 vit_base_patch32_224 vit_small_patch16_18x2_224 vit_small_patch16_dinov3 eva02_small_patch14_224
vit_pe_core_tiny_patch16_384 vit_small_patch16_rope_224 vit_small_patch16_rope_mixed_224 vit_small_patch16_rope_ape_224
vit_dlittle_patch16_reg1_gap_256 vit_wee_patch16_reg1_gap_256 vit_pwee_patch16_reg1_gap_256 vit_xsmall_patch16_clip_224
vit_small_patch14_dinov2 vit_small_patch14_reg4_dinov2 deit3_small_patch16_224 deit_tiny_distilled_patch16_224 xcit_tiny_12_p16_224
edgenext_x_small ghostnetv2_100 hrnet_w18_small_v2 regnetx_002 regnety_002 regnetv_040 regnetz_005 resnetv2_50 resnetv2_50d_gn
resnetv2_50d_evos resnetv2_50x1_bit resnest26d res2net101_26w_4s legacy_seresnext26_32x4d inception_v4 inception_resnet_v2
mobilevitv2_075 repvgg_a1 repvgg_d2se mobileone_s0 fastvit_sa12 fastvit_mci0 efficientvit_m1 efficientformer_l3 nf_resnet26 dm_nfnet_f0
nf_ecaresnet26 nf_seresnet26 tresnet_l focalnet_tiny_lrf swin_s3_tiny_224 swinv2_cr_tiny_ns_224 mvitv2_small naflexvit_base_patch16_gap
hiera_small_224 lambda_resnet26rpt_256 tnt_s_patch16_224 sequencer2d_m visformer_small starnet_s1 shvit_s2 test_vit2 test_vit3
test_vit4 test_convnext2 test_convnext3 test_efficientnet_gn test_efficientnet_ln test_efficientnet_evos samvit_base_patch16
gemma4_vit_167m convnext_tiny_hnf cs3darknet_m darknet53 cs3edgenet_x cs3se_edgenet_x beit_base_patch16_224 beitv2_base_patch16_224
aimv2_large_patch14_224 mambaout_kobe hgnetv2_b1 levit_conv_128s lcnet_050 mnasnet_100 mixnet_m wide_resnet50_2 resnet50_gn
resnet50_mlp resnet14t ecaresnet50t skresnet34 eca_resnet33ts
'''.split()
FROZEN = '''regnetx_002 mobilenetv2_050 convnextv2_atto swin_tiny_patch4_window7_224 levit_conv_128s ghostnetv2_100 resnest14d repvit_m1 xcit_nano_12_p8_224
coat_lite_tiny efficientformer_l1 mobileone_s0 mixer_s32_224 cait_xxs24_224 nf_regnet_b0 eca_resnet33ts'''.split()


def maker(name, how):
    def make():
        config = timm.models.get_pretrained_cfg(name)
        size = config.input_size[-1]
        error = None
        sides = [size] if config.fixed_input_size else [96, 128, 224, size]
        for side in sides:
            extra = {'img_size': side} if config.fixed_input_size and side > 256 else {}
            module = timm.create_model(name, pretrained=False, num_classes=10, **extra).eval()
            if config.fixed_input_size and side > 300:
                try:
                    module = timm.create_model(name, pretrained=False, num_classes=10, img_size=224 if side % 14 == 0 else 256).eval()
                    side = 224 if side % 14 == 0 else 256
                except Exception:
                    pass
            x = torch.randn(1, 3, side, side)
            try:
                with torch.no_grad():
                    module(x)
                return module, (x,), how
            except Exception as failed:
                error = failed
        raise error

    return make


def cases(_group):
    out = {f'timm_{name}': maker(name, 'trace') for name in NAMES}
    for name in FROZEN:
        out[f'timm_{name}_optimized'] = maker(name, 'trace freeze optimize')
        out[f'timm_{name}_script'] = maker(name, 'script')
    return out
